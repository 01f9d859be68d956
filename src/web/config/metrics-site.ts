/** The listener for whoever watches the server, and its site. Only sites that name it are served there. */
import { INTERNAL_PAGES, type ListenerConfig, type SiteConfig } from './web-config.ts';

export const METRICS_LISTENER = 'metrics';

export function metricsListener(address: string, port: number): ListenerConfig {
  return { name: METRICS_LISTENER, address, port, unixPath: null, isTls: false, redirectsToPort: null };
}

export function metricsSite(): SiteConfig {
  const rules = { set: [], add: [], remove: [] };
  const security = { rateLimit: null, allow: [], deny: [], basicAuth: null, cors: null, csrf: null, headers: [] };
  return {
    hosts: [],
    isDefault: true,
    listeners: [METRICS_LISTENER],
    routes: INTERNAL_PAGES.map((page) => ({
      paths: page === 'status' ? ['/status', '/'] : [`/${page}`],
      methods: [],
      action: { kind: 'internal', page },
      strip: null,
      rewrites: [],
      headers: rules,
      requestHeaders: rules,
      errorPages: [],
      compression: null,
      security,
      maxBodySize: null,
    })),
    maintenance: null,
    redirectsToHttps: false,
    www: null,
  };
}
