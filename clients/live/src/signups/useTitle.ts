import { useEffect } from 'react'
import { plain } from '../plain'
import { texts } from '../texts'

/** Have the tab say whose page it is, and how many sign-ups are waiting to be looked at. */
export function useTitle(unseen: number, tenant: string): void {
  useEffect(() => {
    document.title = texts.titleOf(unseen, plain(tenant))
    return () => void (document.title = texts.product)
  }, [unseen, tenant])
}
