"""What crosses the Job boundary: run request, result, reasons, names of places in the pod.

Imported by the operator and, from the zipapp, by the runner inside the user's image: standard library only, Python 3.9.
Nothing here holds a secret.
"""
