{{- define "seekpoint.environment" }}
- { name: SEEKPOINT_VECTORS, value: pgvector }
- { name: SEEKPOINT_ROOTS, value: '{"media": "/media"}' }
- { name: SEEKPOINT_ARTEFACT_ROOT, value: /artefacts }
- { name: SEEKPOINT_METRICS_PORT, value: "9464" }
- { name: SEEKPOINT_METRICS_HOST, value: 0.0.0.0 }
- { name: SEEKPOINT_DATABASE_URL, valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: database-url } } }
- { name: SEEKPOINT_BROKER_URL, valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: broker-url } } }
- { name: SEEKPOINT_UI_SECRET, valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: ui-secret } } }
{{- range $name, $value := .Values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{- define "seekpoint.confined" }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: media, mountPath: /media, readOnly: true }
  - { name: artefacts, mountPath: /artefacts }
  - { name: state, mountPath: /state }
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "seekpoint.pod" }}
automountServiceAccountToken: false
securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: RuntimeDefault } }
volumes:
  - { name: media, persistentVolumeClaim: { claimName: {{ .Values.claims.media }}, readOnly: true } }
  - { name: artefacts, persistentVolumeClaim: { claimName: {{ .Values.claims.artefacts }} } }
  - { name: state, persistentVolumeClaim: { claimName: {{ .Values.claims.state }} } }
  - { name: tmp, emptyDir: { sizeLimit: 2Gi } }
{{- end }}
