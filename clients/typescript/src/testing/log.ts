import type { Event, UserFields } from '../frames.js'

const id = (at: number, number: number): string => {
  const time = Math.floor(at).toString(16).padStart(12, '0')
  const tail = number.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`
}

/** A new user as a test describes one; what is left out is filled in. */
export interface Newcomer extends Partial<UserFields> {
  readonly redacted?: readonly string[]
}

/** A tenant's log, as one viewer sees it. */
export class FakeLog {
  readonly events: Event[] = []
  #number = 0

  /** Append an event; `at` is in milliseconds. */
  append(tenant: string, at: number, { redacted = [], ...fields }: Newcomer): Event {
    const number = ++this.#number
    const time = new Date(at).toISOString()
    const data = {
      id: id(at, number * 2),
      username: `user-${number}`,
      full_name: null,
      joined_via: 'signup',
      joined_at: time,
      email: null,
      phone: null,
      address: null,
      agent: null,
      ...fields,
    }
    const shown = Object.fromEntries(Object.entries(data).filter(([name]) => !redacted.includes(name)))
    const event: Event = {
      type: 'user.created',
      id: id(at, number * 2 + 1),
      tenant,
      at: time,
      message: `New user created: ${data.username}`,
      data: shown as unknown as UserFields,
      redacted,
    }
    this.events.push(event)
    return event
  }

  /** Return what is behind a cursor; undefined if the cursor is unknown. */
  after(cursor: string): Event[] | undefined {
    const place = this.events.findIndex((event) => event.id === cursor)
    return place < 0 ? undefined : this.events.slice(place + 1)
  }
}
