export const d = await Promise.resolve('dyn');
