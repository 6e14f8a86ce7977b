/** What other people have chosen to be called. */
import type { User } from '@usher/client'

/** Characters that show nothing and change how their neighbours are shown: controls, and marks that turn the direction. */
const TRICKS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const SOMETHING = /[^\s\p{C}\p{M}\p{Z}\u3164\u115f\u1160\uffa0\u2800]/u

/** Return a stranger's text so that it changes nothing around it. It is still only ever shown as text. */
export const plain = (text: string): string => text.replace(TRICKS, '\ufffd')

/** Return whether there is anything to be seen in a text. */
export const isVisible = (text: string | null | undefined): text is string => Boolean(text) && SOMETHING.test(text!)

/** What a row calls somebody: the full name if there is anything to be seen in it, else the username. */
export const nameOf = ({ full_name: name, username }: Pick<User, 'full_name' | 'username'>): string =>
  plain(isVisible(name) ? name : username)
