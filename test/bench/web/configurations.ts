/** The configuration of each server: the same listeners, folder, origin and certificate, no log, one worker. Pure. */
import { LISTENERS } from './cases.ts';
import type { Place } from './servers.ts';

export function vryptToml({ files, cert, key, originPort, scratch }: Place, port: number, hasAll: boolean): string {
  const listeners = Object.entries(LISTENERS).map(
    ([name, distance]) =>
      `[[listeners]]\nname = "${name}"\naddress = "127.0.0.1"\nport = ${port + distance}\ntls = ${name === 'tls'}\n`,
  );
  const all = `
[logging]
access_log = { path = "${scratch}/access.log", format = "json" }
[compression]
min_size = 256
[metrics]
listen = "off"
[security]
rate_limit = 1_000_000_000
headers = { x_frame_options = "DENY", x_content_type_options = "nosniff", strict_transport_security = "max-age=31536000" }
`;
  return `
compression = false
[server]
workers = 1
[ssl]
cert = "${cert}"
key = "${key}"
${hasAll ? all.trimStart() : ''}
${listeners.join('')}
[[sites]]
listeners = ["files", "tls"]
files = "${files}"
[[sites]]
listeners = ["proxy"]
proxy = "http://127.0.0.1:${originPort}"
`.replace('compression = false', hasAll ? '' : 'compression = false');
}

/** Descriptors are kept, as its documentation advises for speed. */
export function nginxConfiguration({ files, cert, key, originPort, scratch }: Place, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
worker_rlimit_nofile 30000;
pid ${scratch}/nginx.pid;
error_log stderr;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  types { text/html html; }
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000;
  ssl_certificate ${cert};
  ssl_certificate_key ${key};
  ssl_protocols TLSv1.3;
${temporary.map((name) => `  ${name}_temp_path ${scratch}/${name};`).join('\n')}
  upstream origin { server 127.0.0.1:${originPort}; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port + LISTENERS.files}; root ${files}; }
  server {
    listen 127.0.0.1:${port + LISTENERS.proxy};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
  server { listen 127.0.0.1:${port + LISTENERS.tls} ssl http2; root ${files}; http2_max_requests 1000000000; }
}
`;
}

/** Answers for files, which it does not serve, come from its memory. */
export function haproxyConfiguration({ both, files, originPort }: Place, port: number): string {
  return `
global
  nbthread 1
  maxconn 9000
  tune.h2.max-concurrent-streams 100
defaults
  mode http
  option http-keep-alive
  timeout client 300s
  timeout connect 5s
  timeout server 300s
frontend files
  bind 127.0.0.1:${port + LISTENERS.files}
  http-request return status 200 content-type text/html file ${files}/index.html
frontend proxy
  bind 127.0.0.1:${port + LISTENERS.proxy}
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  default_backend origin
frontend tls
  bind 127.0.0.1:${port + LISTENERS.tls} ssl crt ${both} alpn h2,http/1.1 ssl-min-ver TLSv1.3
  http-request return status 200 content-type text/html file ${files}/1k.html
backend origin
  http-reuse always
  server origin 127.0.0.1:${originPort}
`;
}

export function lighttpdConfiguration({ both, files, originPort }: Place, port: number): string {
  return `
server.document-root = "${files}"
server.bind = "127.0.0.1"
server.port = ${port + LISTENERS.files}
server.max-connections = 9000
server.max-fds = 20000
server.max-keep-alive-requests = 0
server.max-keep-alive-idle = 300
mimetype.assign = ( ".html" => "text/html" )
server.modules = ( "mod_indexfile", "mod_proxy", "mod_openssl" )
index-file.names = ( "index.html" )
$SERVER["socket"] == "127.0.0.1:${port + LISTENERS.proxy}" {
  proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ${originPort} ) ) )
}
$SERVER["socket"] == "127.0.0.1:${port + LISTENERS.tls}" {
  ssl.engine = "enable"
  ssl.pemfile = "${both}"
  ssl.openssl.ssl-conf-cmd = ( "MinProtocol" => "TLSv1.3" )
}
`;
}

export function caddyfile({ cert, files, key, originPort }: Place, port: number): string {
  return `
{
  admin off
  auto_https off
}
http://:${port + LISTENERS.files} {
  bind 127.0.0.1
  root * ${files}
  file_server
}
http://:${port + LISTENERS.proxy} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${originPort}
}
https://:${port + LISTENERS.tls} {
  bind 127.0.0.1
  tls ${cert} ${key}
  root * ${files}
  file_server
}
`;
}
