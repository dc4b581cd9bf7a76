#!/bin/sh
# The proxy of conf/nginx.conf with this installation's names; nginx's image runs it before it starts.
set -eu
rm -f /etc/nginx/conf.d/default.conf
sed -e "s/relay\.example\.com/$RELAY_HOST/g" -e 's/server 127\.0\.0\.1:8000/server web:8000/' \
  /relay/nginx.conf > /etc/nginx/conf.d/relay.conf
sed -e "s/files\.example\.com/$FILES_HOST/g" /relay/files.conf > /etc/nginx/conf.d/files.conf
