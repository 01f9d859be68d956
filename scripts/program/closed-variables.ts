/** Environment variables that are dead in every product, and what each would do to an ordinary Node. */

/** NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and the like only add trust, and stay. */
export const closedVariables = {
  NODE_OPTIONS: 'loads foreign modules, opens a debugger',
  NODE_COMPILE_CACHE: 'loads and writes compiled code',
  NODE_V8_COVERAGE: 'writes files',
  NODE_REDIRECT_WARNINGS: 'writes a file',
  NODE_ICU_DATA: 'loads data files',
  NODE_REPL_EXTERNAL_MODULE: 'loads a foreign module',
  OPENSSL_CONF: 'loads foreign libraries',
  OPENSSL_CONF_INCLUDE: 'loads foreign configuration',
  OPENSSL_ENGINES: 'loads foreign libraries',
  OPENSSL_MODULES: 'loads foreign libraries',
} as const satisfies Record<string, string>;
