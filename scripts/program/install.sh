#!/bin/sh
# Installs {{name}} {{version}}:   sh install.sh --help
# Everything is inside one pair of braces, so that a shell which gets only a part of this file runs none of it.
# Written for POSIX sh with BusyBox or GNU tools, curl or wget. `local` is not POSIX, so names are unique instead.
# SC2015: `a && b || fail` is meant, fail never returns. SC2317: clean is called by trap.
# shellcheck disable=SC2015,SC2317
{
set -u
set +e
umask 022
LC_ALL=C
export LC_ALL

name='{{name}}'
version='{{version}}'
# The folder with the releases' files; @ stands for the version. Empty: --from must name one.
home_url='{{url}}'
# minisign's public keys, one a line: a release is signed with one of them. Empty: releases are not signed.
public_keys='{{keys}}'
# Triple, CPU, C library, its loader, its oldest version; the first that fits is taken.
targets='{{targets}}'
# Whether the program has --version, and so can be tried without doing anything.
says_version='{{says_version}}'
# No file of a release is larger, unpacked ones included; in blocks of 512 bytes.
largest=262144

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "install.sh" "$*" >&2; }
fail() { warn "$*"; exit 1; }
usage() { warn "$*; --help lists the options"; exit 2; }
has() { command -v "$1" >/dev/null 2>&1; }

help() {
  cat <<TEXT
Installs $name $version: finds the file for this machine, downloads it, compares its checksum, puts it into place.

  --prefix <folder>   where bin/ and share/ are (default: /usr/local for root, otherwise ~/.local)
  --version <version> another version (default: $version)
  --target <triple>   this one instead of the one that fits the machine
  --from <url>        folder with the files of the release, http: or https: (default: ${home_url:-none, must be given})
  --dry-run           only say what would be done
  --uninstall         remove what an earlier run has installed below --prefix
  --help              show this
TEXT
}

# ---- what this machine is ----

# 32 or 64: the word size of its programs, which may be smaller than the kernel's. Byte 5 of an ELF file says it.
word_size() {
  for program in /proc/self/exe /bin/sh; do
    class=$(dd if="$program" bs=1 skip=4 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n')
    case $class in 01) echo 32; return ;; 02) echo 64; return ;; esac
  done
  case $1 in x86_64 | aarch64) echo 64 ;; *) echo 32 ;; esac
}

find_cpu() {
  system=$(uname -s)
  case $system in
    Linux) ;;
    Darwin) fail "$name runs on Linux only, got macOS; in a container it runs there too" ;;
    *) fail "$name runs on Linux only, got $system" ;;
  esac
  if [ "$(uname -o 2>/dev/null)" = Android ] || [ -e /system/build.prop ] || [ -n "${ANDROID_ROOT:-}" ]; then
    fail "$name does not run on Android, whose kernel kills programs for system calls that it needs"
  fi
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) cpu=x86_64 ;;
    i?86) cpu=i686 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    armv7* | armv8*) cpu=armv7 ;;
    *) fail "there is no $name for this CPU: it must be x86_64, i686, aarch64 or armv7, got $machine" ;;
  esac
  if [ "$(word_size "$cpu")" = 32 ]; then
    case $cpu in x86_64) cpu=i686 ;; aarch64) cpu=armv7 ;; esac
  fi
  if [ "$cpu" = i686 ] && [ -r /proc/cpuinfo ] && grep -q '^flags' /proc/cpuinfo && ! grep -qw sse2 /proc/cpuinfo; then
    fail "$name needs a CPU with SSE2, which this one lacks"
  fi
}

# The version of glibc, empty where there is none or nobody can tell.
glibc_version() {
  found=$(getconf GNU_LIBC_VERSION 2>/dev/null) || found=$(ldd --version 2>/dev/null | head -n 1)
  case $found in
    *glibc* | *GLIBC* | *'GNU libc'*) printf '%s\n' "$found" | sed -n '1s/.*[^0-9.]\([0-9][0-9]*\.[0-9][0-9]*\)[^ ]*$/\1/p' ;;
  esac
}

# at_least 2.36 2.31
at_least() {
  [ "${1%%.*}" -gt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -ge "${2#*.}" ]; }
}

find_target() {
  glibc=$(glibc_version)
  why='fully static'
  target=''
  too_old=''
  while read -r triple its_cpu libc loader oldest; do
    if [ "$its_cpu" != "$cpu" ] || [ -n "$target" ]; then continue; fi
    if [ "$libc" = musl ]; then
      target=$triple
    elif [ -e "$loader" ] && [ -n "$glibc" ]; then
      if at_least "$glibc" "$oldest"; then target=$triple; why="glibc $glibc"; else too_old="glibc $glibc is older than $oldest"; fi
    fi
  done <<TARGETS
$targets
TARGETS
  [ -n "$target" ] || fail "this release has no $name for $cpu${too_old:+ ($too_old)}"
  [ -z "$too_old" ] || why="fully static, because $too_old"
}

check_target() {
  triples=' '
  while read -r triple rest; do triples="$triples$triple "; done <<TARGETS
$targets
TARGETS
  case $triples in *" $target "*) ;; *) usage "--target must be one of$triples, got \"$target\"" ;; esac
  why='as you said'
}

# ---- getting files ----

clean() { [ -z "${scratch:-}" ] || rm -rf "$scratch"; [ -z "${new:-}" ] || rm -f "$new"; }

# fetch_once URL FILE: continues a part that is there.
fetch_once() (
  # A server that never stops sending does not fill the disk.
  ulimit -f "$largest" 2>/dev/null
  if has curl; then
    case $1 in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
    curl -fsSL --proto "$protocols" --proto-redir "$protocols" --connect-timeout 20 --speed-limit 500 --speed-time 30 \
      -C - -o "$2" "$1" 2>"$scratch/said"
    code=$?
    # 33: the server cannot continue; 36: nor can what is there be continued.
    case $code in 33 | 36) rm -f "$2" ;; esac
    exit "$code"
  fi
  # No -T: it crashes the BusyBox 1.35 of Debian 12.
  wget -q -c -O "$2" "$1" 2>"$scratch/said"
  code=$?
  # GNU: the server's answer is an error, which -q keeps to itself.
  [ "$code" != 8 ] || echo 'the server answers with an error, 400 or above' >"$scratch/said"
  exit "$code"
)

# fetch NAME: into $scratch, up to five times.
fetch() {
  for attempt in 1 2 3 4 5; do
    fetch_once "$from/$1" "$scratch/$1" && [ -s "$scratch/$1" ] && return 0
    # It is not there; asking again will not help.
    grep -q ' 40[0-9]' "$scratch/said" && break
    [ "$attempt" = 5 ] || sleep "${INSTALL_PAUSE:-$attempt}"
  done
  return 1
}

must_fetch() {
  fetch "$1" || fail "$from/$1 must be there to download, got: $(tail -n 1 "$scratch/said" 2>/dev/null)"
}

sha256_of() {
  if has sha256sum; then sha256sum <"$1"
  elif has shasum; then shasum -a 256 <"$1"
  else openssl dgst -sha256 -r <"$1"
  fi | sed 's/[^0-9a-f].*//'
}

# A file without a line for the archive, or with two, says nothing that can be trusted.
wanted_hash() {
  hash=$(awk -v file="$archive" '$2 == file && NF == 2 { print $1 }' "$scratch/$sums")
  case $hash in
    *[!0-9a-f]* | '') fail "$sums must have one line for $archive, got \"$hash\"" ;;
  esac
  [ "${#hash}" -eq 64 ] || fail "$sums must have 64 digits for $archive, got \"$hash\""
}

check_signature() {
  if [ -z "$public_keys" ]; then say "signature: none, this release is not signed"; return; fi
  if ! has minisign; then say "signature: not checked, because minisign is not installed"; return; fi
  must_fetch "$sums.minisig"
  for key in $public_keys; do
    if minisign -V -q -P "$key" -m "$scratch/$sums" -x "$scratch/$sums.minisig" >/dev/null 2>&1; then
      say "signature: good"
      return
    fi
  done
  fail "$sums must be signed with a key of this project, its signature is not"
}

get_archive() {
  fetch "$archive" || fail "$from/$archive must be there to download, got: $(tail -n 1 "$scratch/said" 2>/dev/null)"
  got=$(sha256_of "$scratch/$archive")
  [ "$got" = "$hash" ] && return
  # A part that another file continued: once more from its start.
  rm -f "$scratch/$archive"
  must_fetch "$archive"
  got=$(sha256_of "$scratch/$archive")
  [ "$got" = "$hash" ] || fail "$archive must have the SHA-256 $hash, got $got; nothing was installed"
}

# ---- putting them into place ----

# Once, because tar reads all of it for each file.
decompress() (
  ulimit -f "$largest" 2>/dev/null
  gzip -dc <"$scratch/$archive" >"$scratch/tar" 2>/dev/null
)

# Its one folder: a release from a changed checkout is marked in the file's name only.
find_folder() {
  folder=$(tar -tf "$scratch/tar" 2>/dev/null | sed -n '1s,/.*,,p')
  case $folder in "$name"-v*) ;; *) fail "$archive must have one folder $name-v<version>-$target, got \"$folder\"" ;; esac
}

# Written as a stream, so that no name, link or mode inside the archive touches the disk.
unpack() { tar -xOf "$scratch/tar" "$folder/$1" >"$2" 2>/dev/null && [ -s "$2" ]; }

# place MEMBER PATH MODE
place() {
  unpack "$1" "$scratch/member" || return 1
  mkdir -p "$prefix/${2%/*}" && cp "$scratch/member" "$prefix/$2.$$.new" && chmod "$3" "$prefix/$2.$$.new" &&
    mv -f "$prefix/$2.$$.new" "$prefix/$2" || fail "$prefix/$2 must be writable; --prefix names another folder"
  printf '%s\n' "$2" >>"$scratch/installed"
}

place_program() {
  mkdir -p "$prefix/bin" 2>/dev/null && [ -w "$prefix/bin" ] ||
    fail "$prefix/bin must be writable, it is not; --prefix names another folder"
  decompress || fail "$archive must be a gzip file of at most $((largest / 2048)) MiB, it is not"
  find_folder
  new="$prefix/bin/.$name.$$.new"
  unpack "$name" "$new" || fail "$archive must contain $folder/$name, it does not"
  chmod 755 "$new"
  said="$name $version"
  [ "$says_version" = no ] || said=$("$new" --version 2>&1 </dev/null) ||
    fail "$target must run on this machine, got exit code $?: $(printf '%s' "$said" | head -n 1); --target names another"
  mv -f "$new" "$prefix/bin/$name" || fail "$prefix/bin/$name must be writable, it is not"
  new=''
  printf '%s\n' "bin/$name" >"$scratch/installed"
}

install() {
  place_program
  for text in LICENSE README.md THIRD-PARTY-LICENSES.txt; do
    place "$text" "share/doc/$name/$text" 644
  done
  for file in "man/man1/$name.1" "bash-completion/completions/$name" "zsh/site-functions/_$name" \
    "fish/vendor_completions.d/$name.fish"; do
    place "share/$file" "share/$file" 644
  done
  printf '%s\n' "$list" >>"$scratch/installed"
  mkdir -p "$prefix/${list%/*}" && cp "$scratch/installed" "$prefix/$list" || fail "$prefix/$list must be writable"
}

uninstall() {
  [ -f "$prefix/$list" ] || fail "$prefix/$list must list what was installed, it is not there"
  while read -r file; do
    case $file in
      /* | *..* | '') fail "$prefix/$list must have paths below $prefix, got \"$file\"" ;;
    esac
    if [ "$dry" = yes ]; then say "would remove $prefix/$file"; else rm -f "$prefix/$file" || fail "$prefix/$file must be removable"; fi
  done <"$prefix/$list"
  [ "$dry" = yes ] && return
  rmdir "$prefix/share/doc/$name" "$prefix/share/$name" 2>/dev/null
  say "removed $name from $prefix"
}

# ---- the command line ----

main() {
  prefix=''
  target=''
  from=''
  dry=no
  what=install
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix | --version | --target | --from)
        [ $# -ge 2 ] || usage "$1 must have a value, got none"
        option=$1 value=$2
        shift 2
        ;;
      --prefix=* | --version=* | --target=* | --from=*) option=${1%%=*} value=${1#*=}; shift ;;
      --dry-run) dry=yes; shift; continue ;;
      --uninstall) what=uninstall; shift; continue ;;
      --help | -h) help; exit 0 ;;
      *) usage "there is no option \"$1\"" ;;
    esac
    [ -n "$value" ] || usage "$option must have a value, got an empty one"
    case $option in
      --prefix) prefix=$value ;;
      --version) version=${value#v} ;;
      --target) target=$value ;;
      --from) from=${value%/} ;;
    esac
  done
  case $version in
    [0-9]*) case $version in *[!0-9A-Za-z.+-]*) usage "--version must be a version such as $version, got \"$version\"" ;; esac ;;
    *) usage "--version must be a version such as 1.2.3, got \"$version\"" ;;
  esac
  if [ -z "$prefix" ]; then
    if [ "$(id -u)" = 0 ]; then prefix=/usr/local
    elif [ -n "${HOME:-}" ]; then prefix=$HOME/.local
    else usage "--prefix must be given, because HOME is not set"
    fi
  fi
  case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
  list=share/$name/installed-files
  if [ "$what" = uninstall ]; then uninstall; exit 0; fi

  find_cpu
  if [ -n "$target" ]; then check_target; else find_target; fi
  if [ -z "$from" ]; then
    [ -n "$home_url" ] || usage "--from must be given: this copy of the installer does not know where its release is"
    case $home_url in *@*) from="${home_url%%@*}$version${home_url#*@}" ;; *) from=$home_url ;; esac
  fi
  case $from in http://* | https://*) ;; *) usage "--from must begin with https:// or http://, got \"$from\"" ;; esac
  archive=$name-v$version-$target.tar.gz
  sums=checksums-sha256.txt
  say "$name $version for $target ($why)"
  say "from $from/$archive"
  if [ "$dry" = yes ]; then say "would install $prefix/bin/$name"; exit 0; fi

  has curl || has wget || fail "curl or wget must be installed, got neither"
  has tar || fail "tar must be installed, it is not"
  has sha256sum || has shasum || has openssl || fail "sha256sum, shasum or openssl must be installed, got none"
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d) || fail "a temporary folder must be possible, it is not"
  must_fetch "$sums"
  check_signature
  wanted_hash
  get_archive
  say "checksum: good"
  install
  say "installed $prefix/bin/$name: $said"
  case ":${PATH:-}:" in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not on your PATH" ;; esac
}

main "$@"
exit
}
