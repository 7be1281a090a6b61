{{/* What the pods of the operator and of its test have in common. */}}
{{- define "catalyst-operator.pod" -}}
serviceAccountName: {{ include "catalyst-operator.serviceAccountName" . | quote }}
# The token below lives for an hour and is renewed; the one that is mounted by itself is not used.
automountServiceAccountToken: false
enableServiceLinks: false
{{- $pull := list }}
{{- range concat (default list .Values.global.imagePullSecrets) .Values.imagePullSecrets }}
{{- if kindIs "map" . }}
{{- $pull = append $pull .name }}
{{- else }}
{{- $pull = append $pull . }}
{{- end }}
{{- end }}
{{- with uniq $pull }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  {{- $context := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- toYaml (mergeOverwrite $context .Values.podSecurityContext) | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "catalyst-operator.container" -}}
image: {{ include "catalyst-operator.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- $context := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")) }}
  {{- toYaml (mergeOverwrite $context .Values.securityContext) | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the ledger is, as the program is told it: secrets come as files. */}}
{{- define "catalyst-operator.databaseUrl" -}}
{{- with .Values.postgres.external -}}
{{- if .host -}}
postgresql://{{ .user }}:{/etc/catalyst/database/password}@{{ .host }}:{{ .port }}/{{ .database }}
{{- else -}}
file:/etc/catalyst/database/uri
{{- end }}
{{- end }}
{{- end -}}

{{/* What the program is told, by whatever command it is started. */}}
{{- define "catalyst-operator.env" -}}
{{- $postgres := .Values.postgres -}}
- name: DATABASE_URL
  value: {{ include "catalyst-operator.databaseUrl" . }}
- name: PGSSLMODE
  value: {{ $postgres.sslMode }}
{{- if or $postgres.cnpg.enabled $postgres.caSecret.name }}
- name: PGSSLROOTCERT
  value: /etc/catalyst/authority/ca.crt
{{- end }}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: CATALYST_METRICS_ADDR
  value: "[::]:{{ .Values.service.port }}"
- name: RUST_LOG
  value: {{ .Values.logging.level | quote }}
- name: CATALYST_LOG_FORMAT
  value: {{ .Values.logging.format }}
{{- with .Values.watchNamespaces }}
- name: CATALYST_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.remote.allowCidrs }}
- name: CATALYST_REMOTE_ALLOW_CIDRS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.proxy }}
{{- range $name, $value := dict "HTTP_PROXY" .httpProxy "HTTPS_PROXY" .httpsProxy "NO_PROXY" .noProxy }}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "catalyst-operator.mounts" -}}
- {name: database, mountPath: /etc/catalyst/database, readOnly: true}
{{- if or .Values.postgres.cnpg.enabled .Values.postgres.caSecret.name }}
- {name: authority, mountPath: /etc/catalyst/authority, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "catalyst-operator.tokenMount" -}}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}

{{- define "catalyst-operator.secretVolume" -}}
- name: {{ .volume }}
  secret:
    secretName: {{ .name | quote }}
    # Readable by the program's group alone: 0440, as a number that every reader of YAML agrees on.
    defaultMode: 288
    items:
      - {key: {{ .key | quote }}, path: {{ .path }}}
{{- end -}}

{{- define "catalyst-operator.volumes" -}}
{{- $postgres := .Values.postgres -}}
{{- $cluster := include "catalyst-operator.ledgerCluster" . -}}
{{- $database := dict "volume" "database" "name" $postgres.existingSecret.name "key" $postgres.existingSecret.key "path" "uri" -}}
{{- $authority := dict "volume" "authority" "name" $postgres.caSecret.name "key" $postgres.caSecret.key "path" "ca.crt" -}}
{{- if $postgres.cnpg.enabled -}}
{{- $database = merge (dict "name" (printf "%s-app" $cluster) "key" "uri") $database -}}
{{- $authority = merge (dict "name" (default (printf "%s-ca" $cluster) $postgres.caSecret.name)) $authority -}}
{{- else if $postgres.external.host -}}
{{- $password := $postgres.external.passwordSecret -}}
{{- $database = merge (dict "name" $password.name "key" $password.key "path" "password") $database -}}
{{- end -}}
{{- include "catalyst-operator.secretVolume" $database }}
{{- if $authority.name }}
{{ include "catalyst-operator.secretVolume" $authority }}
{{- end }}
- name: token
  projected:
    defaultMode: 288
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI:
          items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
