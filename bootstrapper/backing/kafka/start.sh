#!/bin/sh
# One KRaft node, safe to kill at any moment: the data folder counts only once "formatted" is there
set -eu
S=/run/secrets
C=/tmp/server.properties
sed -e "s|@HOSTPORT@|${BERTH_HOST_PORT:-9094}|g" -e "s|@BROKERPW@|$(cat $S/broker)|g" -e "s|@CTLPW@|$(cat $S/controller)|g" /opt/kafka/server.properties > $C
CP=$(ls /opt/kafka/libs/*.jar | sort | tr '\n' ':')        # a fixed order, or the class archive is refused
if [ ! -f /data/formatted ]; then
  rm -rf /data/log
  java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$CP" kafka.tools.StorageTool format -t "$(cat $S/cluster)" -c $C \
    --add-scram "SCRAM-SHA-512=[name=broker,password=$(cat $S/broker)]" --add-scram "SCRAM-SHA-512=[name=berth,password=$(cat $S/berth)]"
  touch /data/formatted
fi
# the first orderly stop writes the class archive, later starts use it
if [ -s /data/kafka.jsa ]; then CDS=-XX:SharedArchiveFile=/data/kafka.jsa; else CDS=-XX:ArchiveClassesAtExit=/data/kafka.jsa; fi
# -UsePerfData: nobody looks at the counters that the virtual machine writes twenty times a second
exec java -Xms64m -Xmx384m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -XX:+UseTransparentHugePages $CDS -cp "$CP" kafka.Kafka $C
