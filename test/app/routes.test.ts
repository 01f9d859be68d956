import { describe, expect, test } from 'vitest';
import { Routes } from '../../src/app/routes.ts';

function routesOf(...paths: string[]): Routes<string> {
  const routes = new Routes<string>();
  for (const path of paths) routes.add(path, path);
  return routes;
}

function find(routes: Routes<string>, path: string): unknown {
  const match = routes.find(path);
  if (match === null || match.kind === 'malformed') return match?.kind ?? null;
  return match.params === null ? match.target : [match.target, { ...match.params }];
}

describe('routes', () => {
  const routes = routesOf(
    '/',
    '/users',
    '/users/me',
    '/users/:id',
    '/users/:id/posts/:post',
    '/files/*',
    '/a/:x/b',
    '/a/*',
  );

  test.each([
    ['/', '/'],
    ['/users', '/users'],
    ['/users/me', '/users/me'],
    ['/users/7', ['/users/:id', { id: '7' }]],
    ['/users/a%20b%2Fc', ['/users/:id', { id: 'a b/c' }]],
    ['/users/7/posts/%C3%BC', ['/users/:id/posts/:post', { id: '7', post: 'ü' }]],
    ['/files/', ['/files/*', { '*': '' }]],
    ['/files/a/b', ['/files/*', { '*': 'a/b' }]],
    ['/files', null],
    ['/users/', null],
    ['/users/7/', null],
    ['/nothing', null],
    ['*', null],
  ])('%s leads to %j', (path, expected) => {
    expect(find(routes, path)).toEqual(expected);
  });

  test('literal segments win over parameters, and what follows decides where they lead nowhere', () => {
    expect(find(routes, '/a/1/b')).toEqual(['/a/:x/b', { x: '1' }]);
    expect(find(routes, '/a/1/c')).toEqual(['/a/*', { '*': '1/c' }]);
    expect(find(routes, '/users/me/posts/1')).toEqual(['/users/:id/posts/:post', { id: 'me', post: '1' }]);
  });

  test('a path cannot be spelled so that it misses its route', () => {
    expect(find(routes, '/%75sers/%6de')).toBe('/users/me');
    expect(find(routesOf('/caf%C3%A9'), '/caf%c3%a9')).toBe('/caf%C3%A9');
    expect(find(routesOf('/café'), '/caf%C3%A9')).toBe('/café');
  });

  test('a path that a parameter cannot decode is malformed', () => {
    expect(find(routes, '/users/%ff')).toBe('malformed');
    expect(find(routes, '/files/%zz')).toBe('malformed');
    expect(find(routes, '/nothing/%ff')).toBe(null);
  });

  test('parameters cannot be confused with what objects inherit', () => {
    expect(find(routesOf('/:__proto__'), '/x')).toEqual(['/:__proto__', { ['__proto__']: 'x' }]);
    expect(find(routes, '/constructor')).toBe(null);
  });

  test.each([
    ['users', 'start with "/"'],
    ['/a/*/b', 'last segment'],
    ['/:/b', 'names of their own'],
    ['/:a/:a', 'names of their own'],
    ['/%zz', 'decodable'],
  ])('refuses %s', (path, message) => {
    expect(() => routesOf(path)).toThrow(message);
  });

  test('refuses a route that was given before', () => {
    expect(() => routesOf('/:a', '/:b')).toThrow('twice, got "/:b"');
  });
});
