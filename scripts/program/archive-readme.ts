/** Fills in the README of an archive. */

/** Replaces every `{{name}}` by its value; a name without a value is a bug. */
export function archiveReadme(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`the archive's README has no value for {{${name}}}`);
    return value;
  });
}
