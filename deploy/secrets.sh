#!/bin/sh
# Makes what docker-compose.yml needs and nobody else may know: database passwords, key-encryption keys, and .env.
# Usage: deploy/secrets.sh DOMAIN        for example: deploy/secrets.sh hub.example.org
#
# Every file is readable by its owner alone. Nothing is overwritten: to lose a key-encryption key is to lose every
# document sealed under it, so keep a copy of deploy/secrets/sealing/keys apart from the database's backups.
# A feed's secrets are put into deploy/secrets/feeds by hand, one file each, named as the feed's settings name them.
set -eu
umask 077

domain=${1:?Usage: deploy/secrets.sh DOMAIN}
case $domain in
*[!a-z0-9.-]*) echo "DOMAIN is a host name like hub.example.org, without https:// or a path." >&2; exit 1 ;;
esac
cd "$(dirname "$0")/.."
if [ -e .env ] || [ -e deploy/secrets ]; then
	echo "There are secrets already (.env, deploy/secrets). They are not overwritten." >&2
	exit 1
fi

password() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
url() { printf 'postgresql://%s:%s@database:5432/hub\n' "$1" "$2"; }

mkdir -p deploy/secrets/feeds deploy/secrets/sealing
admin=$(password)
printf '%s\n' "$admin" >deploy/secrets/database_password
url postgres "$admin" >deploy/secrets/admin_url
for role in migrate app auth worker; do
	url "hub_$role" "$(password)" >"deploy/secrets/${role}_url"
done
printf '{"keks": {"1": "%s"}, "current": "1", "index": "%s", "cursor": "%s", "nonce": "%s"}\n' \
	"$(key)" "$(key)" "$(key)" "$(key)" >deploy/secrets/sealing/keys

# The containers run as the owner of these files; never as root.
owner="$(id -u):$(id -g)"
if [ "$(id -u)" = 0 ]; then
	owner=10001:10001
	chown -R "$owner" deploy/secrets
fi
printf 'HUB_USER=%s\nDOMAIN=%s\n' "$owner" "$domain" >.env
echo "Made deploy/secrets and .env. Next: docker compose up --build --detach"
