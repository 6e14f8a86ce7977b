/** What of a user may be shown, as far as it is known. */
import type { Event, Ready } from './frames.js'
import type { User } from './rest.js'

const only = (user: object, isShown: (name: string) => boolean): object =>
  Object.fromEntries(Object.entries(user).filter(([name]) => isShown(name)))

/** Return a user as an event tells of it, on top of what was known before; nothing that the event says is hidden. */
export const merged = ({ data, redacted }: Event, before: User | undefined): User =>
  ({ ...only({ ...before, ...data }, (name) => !redacted.includes(name)), redacted }) as User

/**
 * Return a user as whoever sees it at all sees it, by `fields` of `ready`: what takes another permission than the id is
 * hidden, and what none is known for is left out.
 */
export function masked(user: User, fields: Ready['fields']): User {
  const isOpen = (name: string): boolean => fields[name] === fields.id
  // With a dot in them are those of events of other types.
  const redacted = Object.keys(fields).filter((name) => !isOpen(name) && !name.includes('.'))
  return { ...(only(user, isOpen) as User), redacted }
}
