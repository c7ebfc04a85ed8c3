# What the scripts in scripts/ share. Sourced with the repository's root as working directory.
# shellcheck shell=bash

if [[ -t 1 ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' red='' green='' plain=''
fi

heading() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
bad() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; }
die() {
  bad "$*"
  exit 1
}

# Runs a command as root: directly, or through sudo where there is one.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: $*"
  fi
}
