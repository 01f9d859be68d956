/** A small program with everything that a package can have, for tests. */
import type { PackageFacts } from '../../scripts/packaging/package-facts.ts';

export const facts: PackageFacts = {
  name: 'demo-server',
  version: '1.2.3',
  time: 1_700_000_000,
  about: {
    summary: 'HTTP server in one file',
    description: 'It answers every request on every core.\n\nNothing else has to be installed.',
    maintainer: 'Demo Makers <makers@demo-server.org>',
    homepage: 'https://demo-server.org/',
    license: 'MIT',
    service: {
      args: ['serve'],
      port: 8080,
      takesSocket: true,
      notifies: true,
      environment: ['DEMO_PORT=8080', 'DEMO_WORKERS=auto'],
    },
  },
  commandLine: {
    summary: 'HTTP server in one file',
    description: ["It answers every request. That's all."],
    commands: [
      {
        name: 'serve',
        summary: "serve what 'files' says",
        description: 'Serves.',
        positional: 'port',
        positionalHelp: 'the port',
        notes: '',
        options: [
          { name: 'port', short: 'p', value: 'number', default: '8080', help: 'port: [0] for any free one' },
          { name: 'root', value: 'path', help: 'folder that is served' },
          { name: 'quiet', help: "don't print \\ anything" },
        ],
      },
      {
        name: 'check',
        summary: 'ask a server',
        description: 'Asks once.',
        positional: 'url',
        positionalHelp: 'what to ask',
        notes: 'In a Dockerfile:\n  HEALTHCHECK CMD ["/demo-server", "check"]\n',
        options: [{ name: 'timeout', value: 'duration', help: 'longest time' }],
      },
    ],
    exitCodes: [{ code: '0', meaning: 'good' }],
    signals: ['SIGTERM ends it.'],
    variablePrefix: 'DEMO_',
  },
  executable: Buffer.from('#!/bin/sh\ncase "$1" in --version) echo "demo-server 1.2.3" ;; *) echo demo ;; esac\n'),
  texts: {
    license: 'MIT License\n\nCopyright (c) 2026 Demo Makers\n\nPermission is hereby granted.\n',
    thirdParty: 'Node.js: MIT\n',
    readme: '# demo-server\n',
    changelog: '# Changelog\n',
  },
};
