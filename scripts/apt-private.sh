# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced: an apt with state of its own, that needs no rights and leaves
# /etc/apt and /var/lib/apt as they are. It reads the machine's Debian archives.
#
#   apt_private_init deb|deb-src    once; makes $apt_state (removed on exit) and its list
#   apt_private ARGUMENTS…          apt-get; output goes to $apt_state/log
#   apt_private_fail LINE…          tell what failed, where it was looked for, and exit

apt_private_init() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg option='' codename

	apt_state=$(mktemp -d)
	trap 'rm -rf "$apt_state"' EXIT
	: >"$apt_state/log"
	mkdir -p "$apt_state/lists/partial" "$apt_state/cache/archives/partial"
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
	[ ! -r $keyring ] || option="[signed-by=$keyring] "
	apt-get indextargets --format "$1 $option\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
		'Created-By: Packages' 'Component: main' |
		grep -E " $codename(-updates|-security)? main\$" |
		sort -u >"$apt_state/sources.list" || :
}

apt_private() {
	apt-get -q -y -o Dir::Etc::sourcelist="$apt_state/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt_state/lists" \
		-o Dir::Cache="$apt_state/cache" -o APT::Sandbox::User=root \
		-o Acquire::Retries=3 "$@" >>"$apt_state/log" 2>&1
}

apt_private_fail() {
	{
		cat "$apt_state/log"
		printf '\n%s: %s from:\n' "${0##*/}" "$1"
		sed 's/^/    /' "$apt_state/sources.list"
		shift
		printf '  %s\n' "$@"
	} >&2
	exit 1
}
