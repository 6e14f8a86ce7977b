import type { ReactNode } from 'react'
import { Pill } from '../connection/Pill'
import { plain } from '../plain'
import type { Me } from '../session/web'
import { texts } from '../texts'
import { useArrival } from '../useArrival'
import { Simulate } from './Simulate'
import { UserMenu } from './UserMenu'

/** Which tenant this is, how the connection stands, and who is looking. */
export function Header({ me, help }: { readonly me: Me; readonly help: () => void }): ReactNode {
  const title = useArrival<HTMLHeadingElement>()
  return (
    <header className="header">
      <h1 ref={title} tabIndex={-1}>
        <bdi className="tenant">{plain(me.tenant?.name ?? '')}</bdi>
        <span className="page">{texts.page}</span>
      </h1>
      <div className="tools">
        <Simulate />
        <Pill />
        <UserMenu me={me} help={help} />
      </div>
    </header>
  )
}
