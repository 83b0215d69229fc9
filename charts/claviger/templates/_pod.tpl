{{/* What the pods of both components have in common. */}}
{{- define "claviger.pod.security" -}}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  {{- if .Values.provider.store.existingClaim }}
  fsGroup: 65532 # the volume is made writable for it
  {{- end }}
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 16Mi}
{{- end -}}

{{/* Where the pods may run: the component's values. */}}
{{- define "claviger.pod.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "claviger.container.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* Both components have the same internal port. */}}
{{- define "claviger.container.probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: internal}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: internal}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{- define "claviger.container.settings" -}}
- {name: CLAVIGER_PUBLISHED_NAMESPACE, value: {{ .Values.publishedNamespace.name | quote }}}
- {name: CLAVIGER_INTERNAL_LISTEN, value: "0.0.0.0:9090"}
- {name: CLAVIGER_LOG, value: {{ .Values.log.filter | quote }}}
- {name: CLAVIGER_LOG_FORMAT, value: {{ .Values.log.format | quote }}}
{{- end -}}
