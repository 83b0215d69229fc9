{{/* Names of objects begin with the release's name, and say claviger where that does not. */}}
{{- define "claviger.name" -}}
{{- $name := ternary .Release.Name (printf "%s-claviger" .Release.Name) (contains "claviger" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "claviger.operator" -}}{{ include "claviger.name" . }}-operator{{- end -}}

{{- define "claviger.provider" -}}{{ include "claviger.name" . }}-provider{{- end -}}

{{/* The Service that names the providers to the operator. */}}
{{- define "claviger.acknowledgements" -}}{{ include "claviger.name" . }}-acknowledgements{{- end -}}

{{- define "claviger.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: claviger
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What a Deployment or a Service selects by: dict "release" . "component" "operator". It cannot
     change later, so it is as small as can be. */}}
{{- define "claviger.selector" -}}
app.kubernetes.io/name: claviger
app.kubernetes.io/instance: {{ .release.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "claviger.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}
