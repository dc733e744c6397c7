# Fills the template of a class as the platform does, which uses Go's text/template.
#   awk -f fill.awk connector_instance.json connector.yaml
# What it does not know stays as it is, braces and all.

# The static parameters, one a line.
FNR == NR {
  if (/^  "staticParameters": /) inside = 1
  if (inside && match($0, /^    "[^"]+": /)) {
    name = substr($0, 6, RLENGTH - 8)
    value = substr($0, RLENGTH + 1)
    sub(/,$/, "", value)
    parameters[name] = value # as JSON
  }
  next
}

function text_of(name,   value) {
  value = parameters[name]
  if (value ~ /^"/) value = substr(value, 2, length(value) - 2)
  return value
}

# {{- if ne (printf "%T" (index .Parameters "NAME")) "<nil>" }}
/^ *\{\{- if ne \(printf "%T" \(index \.Parameters "[^"]+"\)\) "<nil>" \}\}$/ {
  split($0, quoted, "\"")
  skipping = !(quoted[4] in parameters)
  next
}
/^ *\{\{- end \}\}$/ {
  skipping = 0
  next
}
skipping { next }

# {{ if eq (printf "%T" VALUE) "string" }}{{ printf "%q" VALUE }}{{ else }}{{ VALUE }}{{ end }}, which is the value as JSON
match($0, /\{\{ if eq \(printf "%T" \(index \.Parameters "[^"]+"\)\) "string" \}\}.*\{\{ end \}\}/) {
  split(substr($0, RSTART), quoted, "\"")
  if (quoted[4] in parameters) $0 = substr($0, 1, RSTART - 1) parameters[quoted[4]] substr($0, RSTART + RLENGTH)
}
{
  for (name in parameters) {
    place = "{{ .Parameters." name " }}"
    while ((at = index($0, place)) > 0) $0 = substr($0, 1, at - 1) text_of(name) substr($0, at + length(place))
  }
  print
}
