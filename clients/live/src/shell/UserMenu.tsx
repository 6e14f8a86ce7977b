import type { ReactNode } from 'react'
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from 'react-aria-components'
import { Chevron } from '../icons'
import { plain } from '../plain'
import { choose, usePreferences, type Scheme } from '../preferences'
import { useSession } from '../session/useSession'
import type { Me } from '../session/web'
import { texts } from '../texts'

const { menu: words } = texts
const SCHEMES = Object.entries(words.schemes) as [Scheme, string][]

/** Who is signed in, and what is about that person and this device alone. */
export function UserMenu({ me, help }: { readonly me: Me; readonly help: () => void }): ReactNode {
  const { session } = useSession()
  const { scheme } = usePreferences()
  const username = plain(me.username)
  const act = (key: unknown): void => {
    if (key === 'help') help()
    if (key === 'sign out') void session.signOut()
  }
  return (
    <MenuTrigger>
      <Button className="button plain me" aria-label={words.label(username)}>
        <bdi className="username">{username}</bdi>
        <Chevron />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={words.label(username)} onAction={act}>
          <MenuSection>
            <Header>
              <span className="quiet">{words.signedInAs}</span> <bdi className="strong">{username}</bdi>,{' '}
              {me.role ? plain(me.role) : words.noRole}
            </Header>
          </MenuSection>
          <MenuSection
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[scheme]}
            onSelectionChange={(keys) => choose({ scheme: [...keys][0] as Scheme })}
          >
            <Header className="quiet">{words.scheme}</Header>
            {SCHEMES.map(([name, text]) => (
              <MenuItem key={name} id={name}>
                {text}
              </MenuItem>
            ))}
          </MenuSection>
          <Separator />
          <MenuItem id="help">{words.help}</MenuItem>
          <MenuItem id="sign out">{words.signOut}</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
