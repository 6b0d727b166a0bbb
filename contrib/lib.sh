# SPDX-License-Identifier: Apache-2.0
# What contrib/quickstart, contrib/check, tests/serve and .ci/run share.  Source it from bash; $top is the source tree.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${POSTERN_STATE:-$top/.state}
built=$top/build # where this tree is built: in itself, when it was configured there
[ ! -e "$top/config.status" ] || built=$top

packages_build="gcc libc6-dev make autoconf automake pkg-config gawk
	libpq-dev libjson-c-dev libssl-dev libargon2-dev libcurl4-openssl-dev libcrypt-dev libfcgi-dev libscrypt-dev
	libcbor-dev libfido2-dev libqrencode-dev"
packages_run="postgresql lighttpd curl ca-certificates"
packages_test="clang libclang-rt-14-dev clang-format llvm libcmocka-dev python3 python3-venv nodejs mandoc git strace
	nginx apache2-bin libapache2-mod-fcgid chromium libnss3-tools libnss-wrapper"

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

# Runs a command as root: itself, or through sudo.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "This needs root, and there is no sudo.  Run as root: $*"
	fi
}

# Names the packages of the arguments that are not installed.
packages_missing()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || printf '%s ' "$p"
	done
}

# Installs packages by apt-get, without starting the services that they bring (a web server on port 80 is nobody's wish here).
packages_install='
	set -e
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if ! [ -e $policy ]; then
		trap "rm -f $policy" EXIT
		trap "exit 1" INT TERM HUP
		printf "#!/bin/sh\nexit 101\n" >$policy
		chmod 755 $policy
	fi
	install() { apt-get install -q -y --no-install-recommends "$@"; }
	install "$@" || { apt-get update -q && install "$@"; }'

# need_packages NAME...: installs what is missing, and says so before.
need_packages()
{
	local missing log
	command -v apt-get >/dev/null || die "No apt-get here: this script knows Debian 12.  Needed are: $*"
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	mkdir -p "$state"
	log=$state/packages.log
	say "Installing Debian packages (a minute or so; log: $log):"
	say "  $missing"
	# shellcheck disable=SC2086
	as_root sh -c "$packages_install" sh $missing >"$log" 2>&1 </dev/null || {
		tail -n 15 "$log" >&2
		die "Installing packages failed: see $log"
	}
}

# logged NAME COMMAND...: runs it with its output in a log that is named when it fails; says how long it took.
logged()
{
	local name=$1 log start
	shift
	mkdir -p "$state"
	log=$state/$(printf '%s' "$name" | tr -cs 'a-zA-Z0-9\n' -).log
	start=$(date +%s)
	say "$name ..."
	if "$@" >"$log" 2>&1; then
		say "$name: done in $(($(date +%s) - start)) s"
	else
		tail -n "${LOG_TAIL:-40}" "$log" >&2
		say "$name FAILED after $(($(date +%s) - start)) s: see $log"
		return 1
	fi
}

# build_tree DIR [CONFIGURE-OPTION...]: an out-of-tree build, configured once, and made anew for other options; without any, those of last time.
build_tree()
{
	local dir=$1 options
	shift
	options="$*"
	[ "$built" != "$top" ] || [ "$dir" -ef "$top" ] ||
		die "The tree is configured in itself, which keeps builds elsewhere from working: make distclean first."
	[ -x "$top/configure" ] && [ "$top/configure" -nt "$top/configure.ac" ] && [ "$top/Makefile.in" -nt "$top/Makefile.am" ] ||
		(cd "$top" && autoreconf -i) || return 1
	mkdir -p "$dir"
	if [ -n "$options" ] && [ "$options" != "$(cat "$dir/configured" 2>/dev/null)" ]; then
		rm -rf "$dir" && mkdir -p "$dir" || return 1
		(cd "$dir" && "$top/configure" "$@") || return 1
		printf '%s\n' "$options" >"$dir/configured"
	elif [ ! -e "$dir/Makefile" ]; then
		(cd "$dir" && "$top/configure" "$@") || return 1
	fi
	make -C "$dir" -j"$(nproc)"
}

# A PostgreSQL cluster of our own.  PostgreSQL refuses root, so root lends the work to the user postgres (which the Debian package makes).
pg_bin()
{
	local dir
	dir=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -n "$dir" ] || die "No PostgreSQL server found in /usr/lib/postgresql: install the package postgresql"
	printf '%s\n' "$dir"
}

pg_as()
{
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

free_port()
{
	python3 - <<-'END' 2>/dev/null || printf '%s\n' $((20000 + RANDOM % 20000))
	import socket
	s = socket.socket()
	s.bind(("127.0.0.1", 0))
	print(s.getsockname()[1])
	END
}

# cluster_make DIR [AUTH]: initdb, once.  Superuser postgres; its socket is DIR/socket, open to the folder's owner and root only.
# cluster_start DIR PORT [SERVER-OPTION...]: PORT 0 is no TCP at all; otherwise 127.0.0.1, where AUTH decides (scram-sha-256).
cluster_make()
{
	local dir=$1 auth=${2:-scram-sha-256}
	[ ! -e "$dir/data/PG_VERSION" ] || return 0
	(umask 077 && mkdir -p "$dir/socket" "$dir/data" && : >>"$dir/postgres.log") || return 1
	chmod 711 "$dir" # the server's user passes through
	if [ "$(id -u)" = 0 ]; then
		chown postgres: "$dir/data" "$dir/socket" "$dir/postgres.log" || return 1
		pg_as test -w "$dir/data" || die "The user postgres, who runs PostgreSQL here, cannot reach $dir: choose a folder that it may pass through."
	fi
	[ ${#dir} -lt 85 ] || die "The path $dir is too long for a socket: choose a shorter one."
	pg_as "$(pg_bin)/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync --auth-local=trust \
		--auth-host="$auth" >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		return 1
	}
}

cluster_start()
{
	local dir=$1 port=$2 listen=127.0.0.1
	shift 2
	[ "$port" != 0 ] || { listen='' port=5432; }
	pg_as "$(pg_bin)/pg_ctl" -D "$dir/data" -l "$dir/postgres.log" -w -t 30 -s \
		-o "-p $port -c listen_addresses='$listen' -c unix_socket_directories='$dir/socket' $*" start
}

cluster_stop()
{
	[ ! -e "$1/data/postmaster.pid" ] || pg_as "$(pg_bin)/pg_ctl" -D "$1/data" -m "${2:-fast}" -s -w stop
}
