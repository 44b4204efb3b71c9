#!/bin/sh
# What an app's instances may reach, and who may reach them. The same on every node.
#
#   firewall.sh apply     make this node so; run it again whenever a value changes
#   firewall.sh check     exit 1 and a line if a jump, chain, rule or set is missing
#   firewall.sh clear     take everything of this installation away again
#
# Values (environment), space separated, IPv4:
#   MARK       four hex digits of the installation: prefixes chains, sets and interfaces, so that several stand side by side
#   NODES      addresses of all nodes of the Swarm
#   GATEWAYS   addresses of the nodes a gateway runs on
#   API        address:port that every app may call (the front door's published address)
#   DNS        resolvers that the policy internet may ask; the policy platform asks none
#   PRIVATE    ranges that the policy internet must not reach
#   NEVER      addresses nobody may reach (metadata services)
#
# The one idea: a policy is a bridge. An instance joins one Swarm-scoped bridge whose interface has the same name on every
# node, so the rules go by interface and need no entry per instance:
#   ba$MARK-plat   the platform's API only      ba$MARK-inet   the API and the internet      bp$MARK   the platform's own
# Must hold: net.bridge.bridge-nf-call-iptables=1 (else instances on one bridge see each other), NET_RAW and NET_ADMIN
# dropped in instances, no IPv6 on the bridges.
set -eu
: "${MARK:?}" "${NODES:=}" "${GATEWAYS:=}" "${API:=}" "${DNS:=}" "${NEVER:=169.254.0.0/16}"
: "${PRIVATE:=0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4}"
I4="iptables -w 5" I6="ip6tables -w 5" C="BERTH-$MARK" S="berth-$MARK" APPS="ba$MARK-+" OWN="bp$MARK"

# a set is filled aside and swapped in, so there is no moment with half of it
fill() { # NAME ENTRY...
  name=$1; shift
  { echo "create $name hash:net -exist"; echo "create $name- hash:net -exist"; echo "flush $name-"
    for e; do echo "add $name- $e -exist"; done
    echo "swap $name- $name"; echo "destroy $name-"; } | ipset restore
}

sets() {
  fill "$S-nodes" $NODES
  fill "$S-gateways" $GATEWAYS
  fill "$S-never" $NODES $NEVER
  fill "$S-private" $PRIVATE
  fill "$S-dns" $DNS
}

rules4() {
  echo '*filter'
  for c in FORWARD INPUT OUT IN REFUSE; do echo ":$C-$c - [0:0]"; done
  # -- routed and bridged packets; jumped to from DOCKER-USER, which dockerd leaves alone and asks first.
  # ACCEPT, not RETURN: behind us Docker drops everything between two bridges, and replies too
  echo "-A $C-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
  echo "-A $C-FORWARD -i $APPS -j $C-OUT"
  echo "-A $C-FORWARD -o $APPS -j $C-IN"
  # a task that was started without a policy is attached here, and reaches nothing
  echo "-A $C-FORWARD -i docker_gwbridge -j $C-REFUSE"
  # -- out of an instance. The API by its original address: on its own node it is already translated here
  for a in $API; do
    echo "-A $C-OUT -p tcp -m conntrack --ctorigdst ${a%:*} --ctorigdstport ${a#*:} -j ACCEPT"
  done
  # any other published port of this node; a reset would bear the address behind it, which the app never asked for
  echo "-A $C-OUT -m conntrack --ctstate DNAT -j REJECT --reject-with icmp-port-unreachable"
  echo "-A $C-OUT -o ba+ -j $C-REFUSE"
  echo "-A $C-OUT -o bp+ -j $C-REFUSE"
  echo "-A $C-OUT -m set --match-set $S-never dst -j $C-REFUSE"
  echo "-A $C-OUT -i ba$MARK-inet -p udp --dport 53 -m set --match-set $S-dns dst -j ACCEPT"
  echo "-A $C-OUT -i ba$MARK-inet -p tcp --dport 53 -m set --match-set $S-dns dst -j ACCEPT"
  echo "-A $C-OUT -m set --match-set $S-private dst -j $C-REFUSE"
  echo "-A $C-OUT -i ba$MARK-inet -j ACCEPT"
  echo "-A $C-OUT -j $C-REFUSE"
  # -- to an instance. Between nodes every sender bears its node's address (masquerade), so this cannot tell an app on
  # a gateway's node from the gateway: that is OUT's work on the sender's node
  echo "-A $C-IN -i $OWN -j ACCEPT"
  echo "-A $C-IN -m set --match-set $S-gateways src -j ACCEPT"
  echo "-A $C-IN -j DROP"
  # -- to the node itself: sshd, dockerd, whatever listens there
  echo "-A $C-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"
  for a in $API; do
    echo "-A $C-INPUT -i $APPS -p tcp -d ${a%:*} --dport ${a#*:} -j ACCEPT"
  done
  echo "-A $C-INPUT -i $APPS -j $C-REFUSE"
  echo "-A $C-INPUT -i docker_gwbridge -j $C-REFUSE"
  # Swarm's own ports are for nodes: a VXLAN packet from anyone else would land inside an overlay
  if [ -n "$NODES" ]; then
    echo "-A $C-INPUT ! -i lo -p tcp -m multiport --dports 2377,7946 -m set ! --match-set $S-nodes src -j DROP"
    echo "-A $C-INPUT ! -i lo -p udp -m multiport --dports 4789,7946 -m set ! --match-set $S-nodes src -j DROP"
  fi
  # refuse at once, so that an app sees an error and not a time-out
  echo "-A $C-REFUSE -p tcp -j REJECT --reject-with tcp-reset"
  echo "-A $C-REFUSE -p udp -j REJECT --reject-with icmp-port-unreachable"
  echo "-A $C-REFUSE -j REJECT --reject-with icmp-admin-prohibited"
  echo COMMIT
}

rules6() { # instances have no IPv6
  echo '*filter'
  for c in FORWARD INPUT; do echo ":$C-$c - [0:0]"; done
  echo "-A $C-FORWARD -i $APPS -j DROP"
  echo "-A $C-FORWARD -o $APPS -j DROP"
  echo "-A $C-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"
  echo "-A $C-INPUT -i $APPS -j DROP"
  echo COMMIT
}

leads() { # COMMAND CHAIN TARGET: the jump stands there, before any rule that is no installation's of ours
  $1 -S "$2" 2>/dev/null | stands "$2" "$3"
}

stands() { # CHAIN TARGET: the same, in rules that are given
  awk -v chain="-A $1 " -v want="-A $1 -j $2" \
    'index($0, chain) != 1 { next } $0 == want { found = 1; exit } $0 !~ /-j BERTH-[0-9a-f]+-(FORWARD|INPUT)$/ { exit } END { exit !found }'
}

first() { # COMMAND CHAIN TARGET
  leads "$@" && return
  while $1 -D "$2" -j "$3" 2>/dev/null; do :; done
  $1 -I "$2" 1 -j "$3"
}

apply() {
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true
  sets
  rules4 | iptables-restore -w 5 -n        # -n: only the chains named; each is replaced in one step
  $I4 -N DOCKER-USER 2>/dev/null || true   # before dockerd's first start; it takes over what it finds
  first "$I4" DOCKER-USER "$C-FORWARD"
  first "$I4" INPUT "$C-INPUT"
  # until dockerd has hung DOCKER-USER into FORWARD
  $I4 -C FORWARD -j DOCKER-USER 2>/dev/null || $I4 -I FORWARD 1 -j DOCKER-USER
  rules6 | ip6tables-restore -w 5 -n
  first "$I6" FORWARD "$C-FORWARD"
  first "$I6" INPUT "$C-INPUT"
}

there() { # WHAT LINES: a line of them
  case "
$2
" in *"
$1
"*) ;; *) echo "missing: $1"; return 1 ;; esac
}

# everything is asked for once: this runs on an idle machine too
check() {
  nf=; read -r nf < /proc/sys/net/bridge/bridge-nf-call-iptables || true   # its end comes before the line's
  [ "$nf" = 1 ] || { echo "bridge-nf-call-iptables is not 1"; return 1; }
  r4=$($I4 -S 2>/dev/null) && r6=$($I6 -S 2>/dev/null) && named=$(ipset list -n 2>/dev/null) || { echo "the rules cannot be read"; return 1; }
  echo "$r4" | stands DOCKER-USER "$C-FORWARD" && echo "$r4" | stands INPUT "$C-INPUT" || { echo "missing: a jump to $C"; return 1; }
  echo "$r6" | stands FORWARD "$C-FORWARD" && echo "$r6" | stands INPUT "$C-INPUT" || { echo "missing: an IPv6 jump to $C"; return 1; }
  for rule in "FORWARD -j DOCKER-USER" "$C-FORWARD -i $APPS -j $C-OUT" "$C-FORWARD -o $APPS -j $C-IN" "$C-OUT -j $C-REFUSE" \
    "$C-IN -j DROP" "$C-INPUT -i $APPS -j $C-REFUSE"; do there "-A $rule" "$r4" || return 1; done
  for n in nodes gateways never private dns; do there "$S-$n" "$named" || return 1; done
}

clear() {
  while $I4 -D DOCKER-USER -j "$C-FORWARD" 2>/dev/null; do :; done
  for c in FORWARD INPUT; do
    while $I4 -D $c -j "$C-$c" 2>/dev/null; do :; done
    while $I6 -D $c -j "$C-$c" 2>/dev/null; do :; done
    $I6 -F "$C-$c" 2>/dev/null && $I6 -X "$C-$c" || true
  done
  for c in FORWARD INPUT OUT IN REFUSE; do $I4 -F "$C-$c" 2>/dev/null || true; done
  for c in FORWARD INPUT OUT IN REFUSE; do $I4 -X "$C-$c" 2>/dev/null || true; done
  for s in $(ipset list -n | grep "^$S-" || true); do ipset destroy "$s"; done
}

case "${1:-}" in apply) apply;; check) check;; clear) clear;; *) echo "firewall.sh apply | check | clear" >&2; exit 2;; esac
