#!/usr/bin/env bash
# Shows what curl gets from a stream, block by block, over broken connections: with_curl.sh URL TOKEN
last=
while :; do
  block=
  while IFS= read -r line; do
    block+=$line$'\n'
    case $line in
      "id: "*) id=${line#id: } ;;
      "") # the end of a block: what comes before counts from here on only
        printf '%s' "$block"
        block=
        last=${id-}
        ;;
    esac
  done < <(curl -sSfN -H "Authorization: Bearer $2" ${last:+-H "Last-Event-ID: $last"} "$1")
  sleep 0.2
done
