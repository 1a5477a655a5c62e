{{/* Names, labels and the parts that all pods have. */}}

{{- define "logshed.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What tells this release's pods from others; never changes, since selectors cannot. */}}
{{- define "logshed.instance" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Takes a dict of root and component. */}}
{{- define "logshed.selector" -}}
{{ include "logshed.instance" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "logshed.labels" -}}
{{ include "logshed.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod: those above, and on which node's lake it is. */}}
{{- define "logshed.podLabels" -}}
{{ include "logshed.selector" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes a dict of root and image. */}}
{{- define "logshed.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "logshed.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "logshed.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "logshed.secretName" -}}
{{- if .Values.secrets.existing -}}
{{- .Values.secrets.existing -}}
{{- else if or .Values.secrets.data .Values.secrets.external.enabled -}}
{{- printf "%s-secrets" (include "logshed.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* A pod is made anew when what it read at its start has changed. */}}
{{- define "logshed.checksums" -}}
checksum/settings: {{ include "logshed.settings" . | sha256sum }}
{{- end -}}

{{/* With Always in place of OnRootMismatch, Kubernetes would open every file to the group at each start, and Logshed
     refuses tokens that others may read. */}}
{{- define "logshed.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser | int64 }}
runAsGroup: {{ .Values.runAsGroup | int64 }}
fsGroup: {{ .Values.runAsGroup | int64 }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "logshed.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where pods may run, and with what right to go before others. Takes a dict of root and component. */}}
{{- define "logshed.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with include "logshed.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The volume of a lake that is a folder is on one node at a time, so all that use it must be there. */}}
{{- define "logshed.affinity" -}}
{{- if .root.Values.affinity -}}
{{ toYaml .root.Values.affinity }}
{{- else if and (not .root.Values.storage.warehouse) (has .component (list "scheduler" "collector" "receiver")) -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "logshed.instance" .root | nindent 10 }}
        matchExpressions:
          - key: app.kubernetes.io/component
            operator: In
            values: [scheduler, collector, receiver]
{{- end -}}
{{- end -}}

{{/* The text of logshed.toml; with the doors of the receiver's ports, where it says nothing of them itself. */}}
{{- define "logshed.settings" -}}
{{ .Values.settings | trimSuffix "\n" }}
{{- if include "logshed.doorsOfPorts" . }}

{{ include "logshed.doors" . | fromYaml | toToml | trim }}
{{- end }}
{{ end -}}

{{/* Whether the doors of Logshed's own receiver are made of its ports. */}}
{{- define "logshed.doorsOfPorts" -}}
{{- if and .Values.receiver.enabled (not .Values.receiver.command) (not (regexMatch "(?m)^\\s*\\[\\s*receive\\b" .Values.settings)) -}}
true
{{- end -}}
{{- end -}}

{{/* The table `receive`, as YAML. */}}
{{- define "logshed.doors" -}}
{{- $tls := .Values.receiver.tls.existingSecret -}}
{{- $receive := dict -}}
{{- range .Values.receiver.ports -}}
{{- $listen := printf "0.0.0.0:%d" (int .port) -}}
{{- if eq (.door | default "") "metrics" -}}
{{- $_ := set $receive "metrics" $listen -}}
{{- else if .door -}}
{{- $door := get $receive .door | default (dict "listen" list) -}}
{{- $_ := set $door "listen" (append $door.listen $listen) -}}
{{- if and $tls (ne .door "syslog_udp") -}}
{{- $_ := set $door "certificate" "/run/secrets/tls/tls.crt" -}}
{{- $_ := set $door "key" "/run/secrets/tls/tls.key" -}}
{{- end -}}
{{- if $.Values.receiver.insecure -}}
{{- $_ := set $door "insecure" true -}}
{{- end -}}
{{- $_ := set $receive .door (merge (dict) (get $.Values.receiver.doors .door | default dict) $door) -}}
{{- end -}}
{{- end -}}
{{ dict "receive" $receive | toYaml }}
{{- end -}}

{{/* Of one of the receiver's ports. */}}
{{- define "logshed.protocol" -}}
{{- .protocol | default (ternary "UDP" "TCP" (eq (.door | default "") "syslog_udp")) -}}
{{- end -}}
