/** A page for people: what the server does, live, in one file. It asks its own address for the numbers, as JSON. */

export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>vrypt-server</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h1 { font-size: 1.4rem } table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd } td.number { text-align: right; font-variant-numeric: tabular-nums }
.figures { display: flex; flex-wrap: wrap; gap: 1rem } .figures div { border: 1px solid #ddd; border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem }
.figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums } .bad { color: #b00 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #151515 } th, td, .figures div { border-color: #444 } .bad { color: #f77 } }
</style>
<h1>vrypt-server</h1>
<div class="figures" id="figures" aria-live="off"></div>
<table id="upstreams" hidden><thead><tr><th>Backend<th>Upstream<th>State<th>Requests<th>Active</thead><tbody></tbody></table>
<table id="applications" hidden><thead><tr><th>Application<th>State<th>Restarts<th>Memory, MB<th>CPU, s</thead><tbody></tbody></table>
<table id="requests"><thead><tr><th>Method<th>Status<th>Requests</thead><tbody></tbody></table>
<p id="problem" class="bad" role="status"></p>
<script>
const byId = (id) => document.getElementById(id);
const cell = (text, isNumber) => Object.assign(document.createElement('td'), { textContent: text, className: isNumber ? 'number' : '' });
const row = (...cells) => { const made = document.createElement('tr'); made.append(...cells); return made; };
let before = null;
async function look() {
  try {
    const now = await (await fetch(location.pathname + '?json', { cache: 'no-store' })).json();
    const passed = before === null ? 0 : (now.time - before.time) / 1000;
    const rate = passed > 0 ? Math.round((now.requests - before.requests) / passed) : 0;
    const figures = { 'requests per second': rate, 'requests': now.requests, 'connections': now.connections, 'workers': now.workers, 'megabytes sent': (now.bytes / 1e6).toFixed(1), 'megabytes of memory': (now.memory / 1e6).toFixed(1), 'hours running': (now.uptime / 3600).toFixed(1) };
    byId('figures').replaceChildren(...Object.entries(figures).map(([name, value]) => { const made = document.createElement('div'); const number = document.createElement('b'); number.textContent = value; made.append(number, name); return made; }));
    byId('requests').tBodies[0].replaceChildren(...now.byStatus.map((one) => row(cell(one.method), cell(one.status), cell(one.count, true))));
    byId('upstreams').hidden = now.upstreams.length === 0;
    byId('upstreams').tBodies[0].replaceChildren(...now.upstreams.map((one) => row(cell(one.backend), cell(one.upstream), cell(one.healthy === 1 ? 'healthy' : one.healthy === 0 ? 'unhealthy' : 'unhealthy for some workers'), cell(one.requests, true), cell(one.active, true))));
    byId('applications').hidden = now.applications.length === 0;
    byId('applications').tBodies[0].replaceChildren(...now.applications.map((one) => row(cell(one.application), cell(one.isUp ? 'up' : 'down'), cell(one.restarts, true), cell((one.memory / 1e6).toFixed(1), true), cell(one.cpuSeconds.toFixed(1), true))));
    byId('problem').textContent = '';
    before = now;
  } catch (error) {
    byId('problem').textContent = 'The server does not answer: ' + error.message;
  }
  setTimeout(look, 1000);
}
look();
</script>
</html>
`;
