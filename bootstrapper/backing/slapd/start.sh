#!/bin/sh
# /run/secrets/admin: the rootdn's password; /run/secrets/reader: that of the account which only looks people up;
# /run/secrets/people: lines "uid group,group password Name", read at the first start only.
set -eu
umask 077
root=dc=berth,dc=local
hash() { printf %s "$1" > /tmp/p; slappasswd -h '{ARGON2}' -o module-path=/usr/lib/ldap -o module-load=argon2 -T /tmp/p; rm /tmp/p; }

seed() {
  printf 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Berth\ndc: berth\n\n' $root
  printf 'dn: cn=reader,%s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: %s\n\n' \
    $root "$(hash "$(cat /run/secrets/reader)")"
  for ou in people groups; do printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' $ou $root $ou; done
  while read -r uid _ password name; do
    printf 'dn: uid=%s,ou=people,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: %s\nmail: %s@berth.local\nuserPassword: %s\n\n' \
      "$uid" $root "$uid" "$name" "$name" "$uid" "$(hash "$password")"
  done < /run/secrets/people
  for group in $(cut -d' ' -f2 /run/secrets/people | tr , '\n' | sort -u); do
    printf 'dn: cn=%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: %s\n' "$group" $root "$group"
    while read -r uid groups _; do
      case ",$groups," in *",$group,"*) printf 'member: uid=%s,ou=people,%s\n' "$uid" $root ;; esac
    done < /run/secrets/people
    echo
  done
}

echo "rootpw $(hash "$(cat /run/secrets/admin)")" > /tmp/rootpw.conf
if [ ! -d /data/db ]; then # made aside and renamed: a kill in between leaves nothing half
  rm -rf /data/new; mkdir /data/new
  sed 's|^directory .*|directory /data/new|' /opt/slapd/slapd.conf > /tmp/seed.conf
  seed > /tmp/seed.ldif
  slapadd -q -f /tmp/seed.conf -l /tmp/seed.ldif
  rm /tmp/seed.ldif; mv /data/new /data/db
fi
exec slapd -d 0 -f /opt/slapd/slapd.conf -h 'ldaps://0.0.0.0:1636'
