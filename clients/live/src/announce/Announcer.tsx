import { createContext, useContext, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import { useParts } from '../parts'
import { Announcements, type Region } from './announcements'

const Context = createContext<Announcements | null>(null)

/** Lets what is below say things; the list's region is here, and always there, since a new one would not be heard. */
export function Announcer({ children }: { readonly children: ReactNode }): ReactNode {
  const { clock } = useParts()
  const announcements = useMemo(() => new Announcements(clock), [clock])
  return (
    <Context.Provider value={announcements}>
      {children}
      <Said region="news" />
    </Context.Provider>
  )
}

export function useAnnouncements(): Announcements {
  const announcements = useContext(Context)
  if (!announcements) throw new Error('there is no <Announcer> above this component; put one around the page')
  return announcements
}

export function Said({ region }: { readonly region: Region }): ReactNode {
  const announcements = useAnnouncements()
  const text = useSyncExternalStore(announcements.subscribe, () => announcements.said(region))
  return (
    <div role="status" className="unseen">
      {text}
    </div>
  )
}
