import type { User } from './rest.js'

/** Which users a feed shows; both parts must hold. */
export interface Filter {
  /** Part of a name, or of an e-mail or phone that the viewer may see, in any case. */
  readonly q?: string
  readonly joinedVia?: string
}

/** Return whether a user is asked for. What is hidden matches nothing, or a search would tell what it holds. */
export function matches(user: User, { q = '', joinedVia = '' }: Filter): boolean {
  const text = q.trim().toLowerCase()
  const fields = [user.username, user.full_name, user.email, user.phone]
  return (
    (!joinedVia || user.joined_via === joinedVia) &&
    (!text || fields.some((field) => field?.toLowerCase().includes(text)))
  )
}
