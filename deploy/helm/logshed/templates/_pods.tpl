{{/* Variables, volumes and mounts of the pods that run Logshed. */}}

{{- define "logshed.env" -}}
- {name: HOME, value: /tmp}
- {name: LOGSHED_LAKE, value: /var/lib/logshed/lake}
- {name: LOGSHED_SPOOL, value: /var/lib/logshed/spool}
- {name: LOGSHED_TOKENS, value: /var/lib/logshed/tokens.db}
{{- range $name, $value := include "logshed.places" . | fromYaml }}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secrets.env }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "logshed.secretName" $ }}
      key: {{ . }}
{{- end }}
{{- end -}}

{{/* The settings of storage and catalog as variables. */}}
{{- define "logshed.places" -}}
{{- if .Values.storage.warehouse -}}
LOGSHED_STORAGE_WAREHOUSE: {{ .Values.storage.warehouse | quote }}
LOGSHED_STORAGE_ENDPOINT: {{ .Values.storage.endpoint | quote }}
LOGSHED_STORAGE_REGION: {{ .Values.storage.region | quote }}
LOGSHED_STORAGE_ACCESS_KEY: {{ .Values.storage.accessKey | quote }}
LOGSHED_STORAGE_SECRET_KEY: {{ .Values.storage.secretKey | quote }}
LOGSHED_STORAGE_TOKEN: {{ .Values.storage.token | quote }}
LOGSHED_CATALOG_TYPE: {{ .Values.catalog.type | quote }}
LOGSHED_CATALOG_URI: {{ .Values.catalog.uri | quote }}
LOGSHED_CATALOG_PASSWORD: {{ .Values.catalog.password | quote }}
LOGSHED_CATALOG_NAME: {{ .Values.catalog.name | quote }}
LOGSHED_CATALOG_NAMESPACE: {{ .Values.catalog.namespace | quote }}
{{- end -}}
{{- end -}}

{{/* The mounts that every pod has; the lake's volume only where the lake is a folder and the pod writes it. */}}
{{- define "logshed.mounts" -}}
- {name: settings, mountPath: /etc/logshed, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if include "logshed.secretName" . }}
- {name: secrets, mountPath: /run/secrets/logshed, readOnly: true}
{{- end }}
{{- end -}}

{{- define "logshed.stateMounts" -}}
- {name: state, mountPath: /var/lib/logshed}
{{- if not .Values.storage.warehouse }}
- {name: lake, mountPath: /var/lib/logshed/lake}
{{- end }}
{{- end -}}

{{- define "logshed.volumes" -}}
- name: settings
  configMap:
    name: {{ include "logshed.fullname" . }}-settings
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSize }}
{{- with include "logshed.secretName" . }}
- name: secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "logshed.lakeVolume" -}}
{{- if not .Values.storage.warehouse -}}
- name: lake
  persistentVolumeClaim:
    claimName: {{ .Values.lake.existingClaim | default (printf "%s-lake" (include "logshed.fullname" .)) }}
{{- end -}}
{{- end -}}

{{/* A claim that stays when the release goes. Takes a dict of root, component, size, storageClass. */}}
{{- define "logshed.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "logshed.fullname" .root }}-{{ .component }}
  labels:
    {{- include "logshed.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end -}}

{{/* The settings, the command and the program that runs it, beside each other, for a job on a cluster. */}}
{{- define "logshed.jobVolumes" -}}
- name: job
  configMap:
    name: {{ include "logshed.fullname" .root }}-{{ .component }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.tmpSize }}
- name: state
  emptyDir: {}
{{- with include "logshed.secretName" .root }}
- name: secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "logshed.jobMounts" -}}
- {name: job, mountPath: /etc/logshed, readOnly: true}
- {name: tmp, mountPath: /tmp}
- {name: state, mountPath: /var/lib/logshed}
{{- if include "logshed.secretName" . }}
- {name: secrets, mountPath: /run/secrets/logshed, readOnly: true}
{{- end }}
{{- end -}}

{{- define "logshed.jobSettings" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "logshed.fullname" .root }}-{{ .component }}
  labels:
    {{- include "logshed.labels" . | nindent 4 }}
data:
  logshed.toml: |
    {{- .root.Values.settings | nindent 4 }}
  main.py: |
    {{- .root.Files.Get "files/main.py" | nindent 4 }}
  job.json: |
    {{- $words := concat (list "ingest") .job.paths (list "--engine" .component) -}}
    {{- if .job.address }}{{ $words = concat $words (list "--address" .job.address) }}{{ end -}}
    {{- concat $words .job.args | toJson | nindent 4 }}
{{- end -}}
