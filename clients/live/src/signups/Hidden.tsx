import type { ReactNode } from 'react'
import { useClient } from '@usher/client/react'
import { Lock } from '../icons'
import { texts } from '../texts'

/** In place of fields that the viewer may not see: a lock, and which permission it takes; spoken with the fields' names. */
export function Hidden({ fields }: { readonly fields: readonly string[] }): ReactNode {
  const permissions = useClient().viewer?.fields ?? {}
  const needed = [...new Set(fields.map((field) => permissions[field]))]
  return needed.map((permission) => (
    <span key={permission ?? ''} className="hidden">
      <Lock />
      <span aria-hidden="true">{texts.hidden.needs(permission)}</span>
      <span className="unseen">
        {texts.hidden.spoken(
          fields.filter((field) => permissions[field] === permission),
          permission,
        )}
      </span>
    </span>
  ))
}
