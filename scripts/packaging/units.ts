/** The systemd units of a server and its environment file: systemd.exec(5), systemd.socket(5). Pure. */
import type { About, Service } from '../program/about.ts';

/** What is stopped first comes first: a socket would start its service again. */
export function unitsOf(name: string, { service }: About): string[] {
  return [...(service?.takesSocket ? [`${name}.socket`] : []), `${name}.service`];
}

/** It says twice as often that it lives; a busy machine may hold it up. */
const watchdogSeconds = 60;

export function serviceUnit(name: string, about: About, service: Service, environmentFile: string): string {
  return `[Unit]
Description=${about.summary}
Documentation=man:${name}(1)
After=network-online.target
Wants=network-online.target

[Service]
${service.notifies ? `Type=notify\nWatchdogSec=${watchdogSeconds}` : 'Type=exec'}
ExecStart=${['/usr/bin', name].join('/')}${service.args.map((arg) => ` ${arg}`).join('')}
EnvironmentFile=-${environmentFile}
Restart=on-failure
TimeoutStopSec=90
LimitNOFILE=1048576

# A user that exists only while it runs, and may write nowhere.
DynamicUser=yes
UMask=0077
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# AF_NETLINK: the C library asks for the machine's addresses before it looks a name up.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
# For a port below 1024 put CAP_NET_BIND_SERVICE here and into AmbientCapabilities=.
CapabilityBoundingSet=
AmbientCapabilities=
# The JavaScript engine compiles: without memory that is written and then executed it does not start.
MemoryDenyWriteExecute=no

[Install]
WantedBy=multi-user.target
${service.takesSocket ? `Also=${name}.socket\n` : ''}`;
}

export function socketUnit(name: string, about: About, { port }: Service): string {
  return `[Unit]
Description=${about.summary}, socket
Documentation=man:${name}(1)

[Socket]
ListenStream=${port}
BindIPv6Only=both
Backlog=4096

[Install]
WantedBy=sockets.target
`;
}

export function environmentFile(name: string, { environment }: Service): string {
  return `# Settings of ${name}, read by its systemd unit. After a change: systemctl restart ${name}
${environment.map((line) => `#${line}\n`).join('')}`;
}
