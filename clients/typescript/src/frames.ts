/** What the server sends. Member names are those of the wire: docs/protocol.md is their reference. */

export interface Ready {
  readonly type: 'ready'
  readonly version: string
  readonly session: string
  readonly user: { readonly id: string; readonly username: string }
  readonly tenant: string
  readonly permissions: readonly string[]
  /** Each field that an event's `data` can have, and the permission that shows it. */
  readonly fields: Readonly<Record<string, string>>
  readonly token_expires_at: string
  readonly heartbeat: { readonly every_seconds: number; readonly answer_within_seconds: number }
  readonly limits: { readonly message_bytes: number; readonly resume_events: number; readonly resume_days: number }
}

/** The fields of a user that this viewer may see. A hidden one is absent here and named in `redacted`. */
export interface UserFields {
  readonly id: string
  readonly username: string
  readonly full_name: string | null
  /** `signup`, `invite`, `admin`, `import`, `api` or `command`; expect others. */
  readonly joined_via: string
  readonly joined_at: string
  readonly email?: string | null
  readonly phone?: string | null
  readonly address?: string | null
  readonly agent?: string | null
}

/** Something that happened. `Data` is the shape of its type's fields. */
export interface Event<Data = UserFields> {
  readonly type: string
  readonly id: string
  readonly tenant: string
  readonly at: string
  readonly message: string
  readonly data: Data
  readonly redacted: readonly string[]
}

export interface Synced {
  readonly type: 'synced'
  readonly complete: boolean
  readonly reason?: string
}

export interface RightsChanged {
  readonly type: 'rights.changed'
  readonly permissions: readonly string[]
}

export interface Goodbye {
  readonly type: 'goodbye'
  readonly code: number
  readonly reason: string
  readonly retry_after_ms?: number
}

export interface TokenTold {
  readonly type: 'auth.ok' | 'auth.expiring'
  readonly token_expires_at: string
}

export interface Ping {
  readonly type: 'ping'
}

export type Frame =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'control'; readonly frame: Ready | Synced | RightsChanged | Goodbye | TokenTold | Ping }
  /** Of a type that a later version of the protocol will explain. */
  | { readonly kind: 'unknown' }

type Members = Readonly<Record<string, unknown>>
type Check = (frame: Members) => boolean

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const always = (): boolean => true

/** What each type of frame must have; only what the client goes by is looked at. */
const CONTROL = new Map<string, Check>(
  Object.entries({
    ready: (f: Members) =>
      isText(f.tenant) &&
      isObject(f.user) &&
      isText(f.user.id) &&
      isTexts(f.permissions) &&
      isObject(f.fields) &&
      isObject(f.heartbeat) &&
      isCount(f.heartbeat.every_seconds) &&
      isCount(f.heartbeat.answer_within_seconds ?? 0),
    synced: (f: Members) => typeof f.complete === 'boolean',
    'rights.changed': (f: Members) => isTexts(f.permissions),
    goodbye: (f: Members) => isCount(f.code) && isText(f.reason) && isCount(f.retry_after_ms ?? 0),
    'auth.ok': always,
    'auth.expiring': always,
    ping: always,
  }),
)

/**
 * Return the frame that a message holds, or undefined for something that is no frame of this protocol.
 *
 * What has an id, data and redacted is an event whatever its type: a new kind of event needs no new client.
 */
export function parseFrame(message: unknown): Frame | undefined {
  let frame: unknown
  try {
    frame = JSON.parse(message as string)
  } catch {
    return undefined
  }
  if (!isObject(frame) || !isText(frame.type)) return undefined
  if ('id' in frame && 'data' in frame && 'redacted' in frame) {
    const isEvent = isText(frame.id) && isObject(frame.data) && isTexts(frame.redacted)
    return isEvent ? { kind: 'event', event: frame as unknown as Event } : undefined
  }
  const check = CONTROL.get(frame.type)
  if (!check) return { kind: 'unknown' }
  return check(frame) ? { kind: 'control', frame: frame as unknown as Ready } : undefined
}
