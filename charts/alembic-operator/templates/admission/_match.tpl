{{/* Created, or changed in its spec: a tool that labels the object is not refused. */}}
{{- define "alembic-operator.match" -}}
{{ include "alembic-operator.matchResource" (dict "root" . "resource" "databaseschemas" "operations" (list "CREATE" "UPDATE")) }}
{{- end -}}

{{/* The operations on the main resource {resource, operations, root}; its status is the operator's own affair. */}}
{{- define "alembic-operator.matchResource" -}}
failurePolicy: Fail
matchConstraints:
  {{- if .root.Values.watchNamespaces }}
  namespaceSelector:
    matchExpressions:
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson .root.Values.watchNamespaces }}}
  {{- end }}
  resourceRules:
  - apiGroups: [alembic-operator.dev]
    apiVersions: [v1alpha1]
    operations: {{ toJson .operations }}
    resources: [{{ .resource }}]
{{- end -}}

{{/* Whether the requester has a custom verb on schemaplans in the namespace, as an expression. */}}
{{- define "alembic-operator.may" -}}
authorizer.group('alembic-operator.dev').resource('schemaplans').namespace(request.namespace).check('{{ . }}').allowed()
{{- end -}}

{{/* Whether it is Kubernetes that asks: its controllers clean up after a namespace or an owner that is gone. */}}
{{- define "alembic-operator.kubernetes" -}}
- name: kubernetes
  expression: >-
    request.userInfo.username == 'system:kube-controller-manager'
    || request.userInfo.username.startsWith('system:serviceaccount:kube-system:')
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
