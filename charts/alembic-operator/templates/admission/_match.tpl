{{/* Created, or changed in its spec: a tool that labels the object is not refused. */}}
{{- define "alembic-operator.match" -}}
failurePolicy: Fail
matchConstraints:
  {{- if .Values.watchNamespaces }}
  namespaceSelector:
    matchExpressions:
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson .Values.watchNamespaces }}}
  {{- end }}
  resourceRules:
  - apiGroups: [alembic-operator.dev]
    apiVersions: [v1alpha1]
    operations: [CREATE, UPDATE]
    resources: [databaseschemas]
{{- end -}}

{{/* Whether the namespace is one for development: by the platform team's label, or by the chart's list. */}}
{{- define "alembic-operator.development" -}}
- name: development
  expression: >-
    namespaceObject.metadata.?labels['alembic-operator.dev/environment'].orValue('') == 'development'
    || namespaceObject.metadata.name in {{ toJson .Values.developmentNamespaces }}
{{- end -}}

{{/* The binding of the policy {name, root}. */}}
{{- define "alembic-operator.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "alembic-operator.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end -}}
