{{- define "catalyst-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 52 characters leave room for what is appended. */}}
{{- define "catalyst-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | lower | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | replace "." "-" | lower | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | lower | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "catalyst-operator.selector" -}}
app.kubernetes.io/name: {{ include "catalyst-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The chart's own; nobody else's take their place, since selectors and Helm itself read them. */}}
{{- define "catalyst-operator.ownLabels" -}}
{{ include "catalyst-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: catalyst
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Those of some values that are not the chart's own. */}}
{{- define "catalyst-operator.moreLabels" -}}
{{- range $key, $value := . -}}
{{- if not (has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/part-of" "app.kubernetes.io/component" "helm.sh/chart")) }}
{{ $key }}: {{ $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The labels of an object that has some more of its own. */}}
{{- define "catalyst-operator.labelsAnd" -}}
{{ include "catalyst-operator.ownLabels" .context }}
{{- include "catalyst-operator.moreLabels" (merge (deepCopy .labels) .context.Values.commonLabels) }}
{{- end -}}

{{- define "catalyst-operator.labels" -}}
{{ include "catalyst-operator.ownLabels" . }}
{{- include "catalyst-operator.moreLabels" .Values.commonLabels }}
{{- end -}}

{{/* One name whatever the release is called: franchises grant their Secrets to it. */}}
{{- define "catalyst-operator.serviceAccountName" -}}
{{- default "catalyst-operator" .Values.serviceAccount.name -}}
{{- end -}}

{{- define "catalyst-operator.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- $name := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* CloudNativePG takes names of 50 characters. */}}
{{- define "catalyst-operator.ledgerCluster" -}}
{{- default (printf "%s-ledger" (include "catalyst-operator.fullname" . | trunc 43 | trimSuffix "-")) .Values.postgres.cnpg.name -}}
{{- end -}}

{{/*
A generated manifest with more metadata. The text is kept as it is, since a number that went through
Helm's own parser may come out as another.
*/}}
{{- define "catalyst-operator.generated" -}}
{{- $text := printf "\n%s" .text -}}
{{- range $key, $value := .metadata -}}
{{- $lines := toYaml $value | nindent 4 -}}
{{- $own := printf "\n  %s:\n" $key -}}
{{- if kindIs "string" $value -}}
{{- $text = replace "\nmetadata:\n" (printf "\nmetadata:\n  %s: %q\n" $key $value) $text -}}
{{- else if contains $own $text -}}
{{- $text = replace $own (printf "\n  %s:%s\n" $key $lines) $text -}}
{{- else -}}
{{- $text = replace "\nmetadata:\n" (printf "\nmetadata:\n  %s:%s\n" $key $lines) $text -}}
{{- end -}}
{{- end -}}
{{- trimPrefix "\n" $text -}}
{{- end -}}

{{/* What no schema can say. */}}
{{- define "catalyst-operator.check" -}}
{{- $postgres := .Values.postgres -}}
{{- $sources := list -}}
{{- if $postgres.existingSecret.name }}{{ $sources = append $sources "postgres.existingSecret.name" }}{{ end -}}
{{- if $postgres.external.host }}{{ $sources = append $sources "postgres.external.host" }}{{ end -}}
{{- if $postgres.cnpg.enabled }}{{ $sources = append $sources "postgres.cnpg.enabled" }}{{ end -}}
{{- if not $sources -}}
{{- fail "it is not said where the ledger is: set one of postgres.existingSecret.name, postgres.external.host and postgres.cnpg.enabled" -}}
{{- end -}}
{{- if gt (len $sources) 1 -}}
{{- fail (printf "there is one ledger, and %s say each where it is: set one of them" (join " and " $sources)) -}}
{{- end -}}
{{- if and $postgres.external.host (not $postgres.external.passwordSecret.name) -}}
{{- fail "postgres.external.host needs a password: set postgres.external.passwordSecret.name to the Secret that holds it" -}}
{{- end -}}
{{- $scheduled := $postgres.cnpg.scheduledBackup -}}
{{- if and $postgres.cnpg.enabled $scheduled.schedule (not (or $postgres.cnpg.backup $postgres.cnpg.plugins)) -}}
{{- fail "postgres.cnpg.scheduledBackup.schedule says when to back up, and nothing where to: set postgres.cnpg.backup or postgres.cnpg.plugins" -}}
{{- end -}}
{{- if and (eq $scheduled.method "plugin") $scheduled.schedule (not $scheduled.pluginName) -}}
{{- fail "postgres.cnpg.scheduledBackup.method is plugin: set postgres.cnpg.scheduledBackup.pluginName" -}}
{{- end -}}
{{- if and $scheduled.schedule (eq $scheduled.method "plugin" | ternary (not $postgres.cnpg.plugins) (not $postgres.cnpg.backup)) -}}
{{- fail (printf "postgres.cnpg.scheduledBackup.method is %s, which takes its place from postgres.cnpg.%s: set that, or another method" $scheduled.method (eq $scheduled.method "plugin" | ternary "plugins" "backup")) -}}
{{- end -}}
{{- if and $postgres.cnpg.enabled .Values.migrations.enabled .Values.migrations.existingSecret.name -}}
{{- fail "postgres.cnpg makes one user, who makes the ledger as well: take migrations.existingSecret.name out, or make a Cluster of your own with two users and name their Secrets in postgres.existingSecret and migrations.existingSecret" -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "catalyst-operator.fullname" .)) -}}
{{- fail (printf "names of Services begin with a letter, and %s would not: set fullnameOverride" (include "catalyst-operator.fullname" .)) -}}
{{- end -}}
{{- if not (has (toString (default "on" $postgres.cnpg.parameters.synchronous_commit)) (list "on" "remote_apply")) -}}
{{- fail (printf "postgres.cnpg.parameters.synchronous_commit is %v: a crash could lose money that was acknowledged; take it out" $postgres.cnpg.parameters.synchronous_commit) -}}
{{- end -}}
{{- $instead := dict "DATABASE_URL" "postgres" "CATALYST_MIGRATE_DATABASE_URL" "migrations" "PGSSLMODE" "postgres.sslMode" "PGSSLROOTCERT" "postgres.caSecret" "POD_NAME" "nothing: it is the pod's" "POD_NAMESPACE" "nothing: it is the pod's" "CATALYST_METRICS_ADDR" "service.port" "RUST_LOG" "logging.level" "CATALYST_LOG_FORMAT" "logging.format" "CATALYST_NAMESPACES" "watchNamespaces" "CATALYST_REMOTE_ALLOW_CIDRS" "remote.allowCidrs" -}}
{{- with .Values.proxy -}}
{{- if .httpProxy }}{{ $_ := set $instead "HTTP_PROXY" "proxy.httpProxy" }}{{ end -}}
{{- if .httpsProxy }}{{ $_ := set $instead "HTTPS_PROXY" "proxy.httpsProxy" }}{{ end -}}
{{- if .noProxy }}{{ $_ := set $instead "NO_PROXY" "proxy.noProxy" }}{{ end -}}
{{- end -}}
{{- range $env := .Values.extraEnv -}}
{{- with get $instead $env.name -}}
{{- fail (printf "extraEnv has %s, which the chart sets itself: set %s" $env.name .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- if has .name (list "database" "authority" "token" "migrations") -}}
{{- fail (printf "extraVolumes has %s, a name of one of the chart's own: take another one" .name) -}}
{{- end -}}
{{- end -}}
{{- range $to := list "apiServer" "postgres" "remote" -}}
{{- range (index $.Values.networkPolicy $to).cidrs -}}
{{- if hasPrefix "169.254." . -}}
{{- fail (printf "networkPolicy.%s.cidrs has %s, where clouds keep credentials: take it out" $to .) -}}
{{- end -}}
{{- $bytes := splitList "." . -}}
{{- $bits := splitList "/" . | last | int -}}
{{- if and (eq (len $bytes) 4) (lt $bits 16) (ne . "0.0.0.0/0") -}}
{{- /* The first half of an address, without the bits that the prefix leaves open. */ -}}
{{- $unit := 1 -}}
{{- range until (int (sub 16 $bits)) -}}{{- $unit = mul $unit 2 -}}{{- end -}}
{{- $half := add (mul (index $bytes 0 | int) 256) (index $bytes 1 | int) -}}
{{- if eq (div $half $unit) (div (add (mul 169 256) 254) $unit) -}}
{{- fail (printf "networkPolicy.%s.cidrs has %s, and 169.254.0.0/16 in it, where clouds keep credentials: name what does not have it, or 0.0.0.0/0, of which it is left out" $to .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
