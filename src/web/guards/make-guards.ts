/** What a request must pass before a route answers it, in this order; each loaded only when it is configured. */
import type { Clients } from '../client.ts';
import type { SecurityConfig } from '../config/security-config.ts';
import type { Guard } from '../route.ts';
import type { SharedState } from '../shared-state.ts';

export async function makeGuards(security: SecurityConfig, shared: SharedState, clients: Clients): Promise<Guard[]> {
  const { allow, deny, rateLimit, cors, csrf, basicAuth } = security;
  const guards: Guard[] = [];
  if (allow.length + deny.length > 0) {
    const { NetworkGuard } = await import('./networks.ts');
    guards.push(new NetworkGuard(allow, deny, clients));
  }
  const buckets = rateLimit === null ? undefined : shared.buckets[bucketsKey(rateLimit)];
  if (rateLimit !== null && buckets !== undefined) {
    const { RateLimitGuard } = await import('./rate-limit.ts');
    guards.push(new RateLimitGuard(rateLimit, buckets, clients));
  }
  // Browsers send no credentials with a preflight (Fetch §4.8).
  if (cors !== null) {
    const { CorsGuard } = await import('./cross-origin.ts');
    guards.push(new CorsGuard(cors));
  }
  if (basicAuth !== null) {
    const { BasicAuthGuard } = await import('./basic-auth.ts');
    guards.push(new BasicAuthGuard(basicAuth));
  }
  if (csrf !== null) {
    const { ForgeryGuard } = await import('./forgery.ts');
    const origins = cors === null || cors.origins.includes('*') ? csrf.origins : [...csrf.origins, ...cors.origins];
    guards.push(new ForgeryGuard({ origins }, clients));
  }
  return guards;
}

/** Routes with the same limit count together, also over a reload. */
export function bucketsKey(rateLimit: NonNullable<SecurityConfig['rateLimit']>): string {
  return JSON.stringify(rateLimit);
}
