/** Tomcat as a managed application: a WAR, options of its JVM, health before traffic, the end in order. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../cli/server-process.ts';
import { areInstalled } from '../installed.ts';
import { freePort } from './free-port.ts';
import { ask, makeFolder } from './start-web.ts';

const HOME = '/usr/share/tomcat10';
const isThere = areInstalled('Tomcat', { java: 'default-jre-headless', python3: 'python3' }) && hasTomcat();

function hasTomcat(): boolean {
  if (existsSync(HOME)) return true;
  return areInstalled('Tomcat', { '../share/tomcat10': 'tomcat10' });
}

const SERVER_XML = `<?xml version="1.0"?>
<Server port="-1">
  <Service name="Catalina">
    <Connector port="\${test.port}" address="127.0.0.1" protocol="HTTP/1.1"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false"/>
    </Engine>
  </Service>
</Server>
`;
/** Takes its time to be ready: as long as it has not slept, its context answers nothing. */
const JSP =
  '<%@ page contentType="text/plain" %><%= System.getProperty("test.said") %> <%= request.getHeader("X-Forwarded-Proto") %>';

describe.skipIf(!isThere)('Tomcat', () => {
  test('runs a WAR, gets no request before it is healthy, and ends in order', { timeout: 300_000 }, async () => {
    const port = await freePort();
    const folder = makeFolder({
      'base/conf/server.xml': SERVER_XML,
      'base/conf/web.xml': readFileSync(`${HOME}/etc/web.xml`),
      'base/logs/x': '',
      'base/temp/x': '',
      'base/work/x': '',
      'base/webapps/x': '',
      'war/index.jsp': JSP,
      'war/WEB-INF/web.xml': '<web-app/>',
    });
    const zip = 'import shutil,sys; shutil.move(shutil.make_archive(sys.argv[1], "zip", sys.argv[2]), sys.argv[1])';
    execFileSync('python3', ['-c', zip, path.join(folder, 'base/webapps/shop.war'), path.join(folder, 'war')]);
    writeFileSync(
      path.join(folder, 'vrypt.toml'),
      `
[server]
host = "127.0.0.1"
http_port = 0
workers = 1
[[sites]]
proxy = "shop"
[backends.shop]
app_type = "tomcat"
url = "http://127.0.0.1:${port}/shop"
health_check = "/index.jsp"
health_status = "200"
[backends.shop.process]
command = "${HOME}/bin/catalina.sh"
args = ["run"]
working_dir = "base"
env = { CATALINA_HOME = "${HOME}", CATALINA_BASE = "${folder}/base", CATALINA_OPTS = "-Xmx96m -XX:TieredStopAtLevel=1 -Dtest.port=${port} -Dtest.said=hello" }
log = "tomcat.log"
start_timeout = "4m"
stop_timeout = "1m"
`,
    );
    const server = await ServerProcess.start(['web'], { cwd: folder });
    onTestFinished(async () => void (await server.kill()));
    // It listens once the application is up: the first request is answered.
    const { status, text } = await ask('/index.jsp', { port: server.port });
    expect([status, text]).toEqual([200, 'hello http']);
    const { code } = await server.stop();
    expect(code).toBe(0);
    expect(readFileSync(path.join(folder, 'tomcat.log'), 'utf8')).toMatch(/Destroying ProtocolHandler|destroy/i);
    await expect(ask('/shop/', { port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
