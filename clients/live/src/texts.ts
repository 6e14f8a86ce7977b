/** Every word that the page says. What is said of a state or a permission stands with its name on the wire. */
import type { State } from '@usher/client'

const count = (number: number, one: string, more: string): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : more}`

/** "a, b and c" */
const LIST = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** A server's or a client's words as a sentence of their own. */
export const sentence = (words: string): string => {
  const text = words.charAt(0).toUpperCase() + words.slice(1)
  return !text || /[.!?…]$/.test(text) ? text : `${text}.`
}

export const texts = {
  product: 'Usher',
  page: 'Sign-ups',
  promise: 'Somebody joins, and you see it at once: with exactly what you may see, and nothing that you may not.',
  newSignUps: (number: number) => count(number, 'new sign-up', 'new sign-ups'),
  titleOf: (unseen: number, tenant: string) => `${unseen ? `(${unseen}) ` : ''}Sign-ups · ${tenant} · Usher`,
  tryAgain: 'Try again',
  close: 'Close',
  requestId: (id: string) => `Request ${id}`,

  signIn: {
    title: 'Sign in',
    tenant: 'Organisation',
    tenantHint: 'Its short name, such as acme',
    username: 'Username',
    password: 'Password',
    submit: 'Sign in',
    submitting: 'Signing in…',
    restoring: 'One moment…',
    wrong: 'Organisation, username and password do not go together.',
    unreachable: 'The server does not answer.',
    waitFor: (seconds: number) => `Try again in ${count(seconds, 'second', 'seconds')}.`,
    leftElsewhere: 'You have signed out in another tab.',
    left: 'You have signed out.',
    notLeft: 'Signed out here. The server could not be told, so this browser may still be signed in.',
    demo: 'Look around as',
    demoHint: 'This is a demo: everybody here is made up. Two browsers side by side show the difference.',
    platform: 'platform',
    orSignIn: 'Or sign in yourself',
  },

  operator: {
    title: 'You are an operator',
    text: 'Operators look after organisations and see nothing of what happens inside them.',
    link: 'Go to administration',
  },

  menu: {
    label: (username: string) => `${username}: your menu`,
    signedInAs: 'Signed in as',
    noRole: 'no role',
    scheme: 'Colours',
    schemes: { system: 'As the device', light: 'Light', dark: 'Dark' },
    help: 'Keyboard shortcuts',
    signOut: 'Sign out',
    simulate: 'Simulate sign-ups',
    simulating: 'Simulating…',
    simulateFailed: (why: string) => `Nobody was simulated. ${why}`,
  },

  help: {
    title: 'Keyboard shortcuts',
    keys: [
      ['j', 'Next sign-up'],
      ['k', 'Sign-up before'],
      ['Enter', 'Open its details'],
      ['Esc', 'Close them'],
      ['.', 'Show what is new'],
      ['/', 'Search'],
      ['?', 'This list'],
    ] as const,
    enabled: 'Single keys do this',
    enabledHint: 'Turn it off if you steer by voice or by a screen reader’s own keys.',
  },

  connection: {
    label: (word: string) => `Connection: ${word}`,
    words: {
      idle: 'Connecting',
      connecting: 'Connecting',
      catching_up: 'Catching up',
      live: 'Live',
      reconnecting: 'Reconnecting',
      offline: 'Offline',
      paused: 'Paused',
      expired: 'Signed out',
      forbidden: 'No access',
      closed: 'Stopped',
    } satisfies Record<State['status'], string>,
    explanations: {
      idle: 'Opening the connection.',
      connecting: 'Opening the connection.',
      catching_up: 'Reading what you have missed.',
      live: 'Nothing is missing, and what happens next is here at once.',
      offline: 'This device has no network. What you miss meanwhile is fetched when it has.',
      paused: 'Nothing moves until you resume; then you catch up.',
      expired: 'Your session has ended.',
      forbidden: 'You may not see these sign-ups.',
      closed: 'The server has ended the connection for good.',
    } satisfies Record<Exclude<State['status'], 'reconnecting'>, string>,
    lost: 'The connection was lost.',
    /** By close code or status: why the server asks to be left alone for a while. */
    waits: {
      429: 'Too much came from here in a short time.',
      4200: 'Your organisation has as many connections open as it may.',
      4201: 'You have as many connections open as you may: close one of them, such as another tab.',
      4202: 'Too much came from here in a short time.',
      4203: 'The server is full.',
      4204: 'Your organisation is suspended.',
    } as Readonly<Record<number, string>>,
    suspended: 'Your organisation is suspended.',
    /** After why there is no connection. */
    fetched: 'What you miss meanwhile is fetched when it is back.',
    title: 'Connection',
    since: 'Since',
    lastEvent: 'Last sign-up',
    noEvent: 'None yet on this page',
    attempts: 'Attempts',
    next: 'Next attempt',
    nextIn: (seconds: number) => (seconds > 0 ? `in ${seconds} s` : 'now'),
    retry: 'Retry now',
    pause: 'Pause',
    resume: 'Resume',
  },

  bar: {
    tryingIn: (seconds: number) => (seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…'),
    listAsOf: (time: string) => `The list is as of ${time}.`,
    offline: 'You are offline. We catch up when you are back.',
    paused: 'Paused. New sign-ups wait until you resume.',
    closed: 'The server has ended the connection.',
    incomplete: 'Not everything that was missed could be replayed, so the list was read again.',
    reading: 'The list could not be read again.',
  },

  announced: {
    live: 'Connection: live again.',
    reconnecting: (why: string) => `${why} Trying again.`,
    offline: 'You are offline.',
    paused: 'Paused.',
    closed: 'The connection has ended.',
  },

  expired: {
    title: 'Sign in again',
    text: (username: string, tenant: string) =>
      `The session of ${username} at ${tenant} has ended. What was on the page is hidden; your place and your filters are kept.`,
    other: 'Sign in as somebody else',
  },

  forbidden: {
    title: 'You may not see these sign-ups',
    text: 'Nothing of them is kept on this page. If you should see them, ask an owner of your organisation for a role that may watch, then load this page again.',
  },

  failed: {
    title: 'The page has made a mistake',
    text: 'That is our fault, not yours. Nothing is lost: loading the page again reads everything anew.',
    reload: 'Load the page again',
  },

  unreachable: {
    title: 'The server cannot let you in just now',
    titles: {
      unreachable: 'The server does not answer',
      tenant_suspended: 'Your organisation is suspended',
    } as Readonly<Record<string, string>>,
    text: 'It may be restarting, or the network is down.',
  },

  filters: {
    search: 'Search',
    placeholder: 'Name, e-mail or phone',
    via: 'Joined',
    anyWay: 'Any way',
    clear: 'Clear filters',
    clearSearch: 'Clear the search',
  },

  list: {
    label: 'Sign-ups, newest first',
    loading: 'Reading the list…',
    sinceYouLeft: 'New since you left',
    today: 'Today',
    yesterday: 'Yesterday',
    end: (more: boolean, full: boolean) =>
      more ? 'Reading older ones…' : full ? 'A search finds older ones.' : 'That is everybody.',
    burst: (number: number, via: string) => `${count(number, 'sign-up', 'sign-ups')} via ${viaName(via)}`,
    expand: 'Show all',
    collapse: 'Fold',
    empty: 'No sign-ups yet',
    emptyText: (tenant: string) => `When somebody whom you may see joins ${tenant}, they are here at once.`,
    nothing: 'Nobody matches',
    nothingText: 'No sign-up that you may see fits this search.',
    failed: 'The list could not be read',
    shown: (number: number, more: boolean) =>
      number ? `${number.toLocaleString('en')}${more ? ' or more' : ''} found.` : 'Nobody found.',
    hidden: 'Hidden until you sign in again',
  },

  details: {
    title: 'Details',
    close: 'Close details',
    loading: 'Reading the details…',
    gone: 'There is nothing here that you may see any more.',
    failed: 'The details could not be read.',
    empty: 'None',
    active: { true: 'Active', false: 'Deactivated' },
    member: 'Member, no role',
  },

  fields: {
    full_name: 'Full name',
    username: 'Username',
    joined_at: 'Joined',
    joined_via: 'How',
    email: 'E-mail',
    phone: 'Phone',
    address: 'Address',
    agent: 'Program',
    is_active: 'State',
    role: 'Role',
    id: 'ID',
  } as Readonly<Record<string, string>>,

  hidden: {
    /** "Hidden: needs …"; without the name of a permission before the server has said which. */
    needs: (permission: string | undefined) =>
      permission ? `Hidden: needs ${permissionName(permission)}` : 'Hidden: you may not see this',
    /** The same for whoever hears the page. */
    spoken: (fields: readonly string[], permission: string | undefined) =>
      `${LIST.format(fields.map(fieldName))}: ${texts.hidden.needs(permission).toLowerCase()}`,
  },
}

const PERMISSIONS: Readonly<Record<string, string>> = {
  view_user: 'access to the person',
  view_user_contact: 'contact access',
  view_user_origin: 'origin access',
}

/** What a person calls a permission; its own name for one that this page does not know. */
export const permissionName = (permission: string): string => PERMISSIONS[permission] ?? permission

export const fieldName = (field: string): string => texts.fields[field] ?? field

/** Each path by which people join: as a source ("27 sign-ups via import"), and as what somebody did. */
const VIA: Readonly<Record<string, { readonly name: string; readonly did: string }>> = {
  signup: { name: 'the sign-up page', did: 'Signed up' },
  invite: { name: 'invitation', did: 'Invited' },
  admin: { name: 'the admin', did: 'Added by hand' },
  import: { name: 'import', did: 'Imported' },
  api: { name: 'API', did: 'Added by API' },
  command: { name: 'the command line', did: 'Added on the server' },
}

/** The paths that can be asked for. */
export const VIAS: readonly string[] = Object.keys(VIA)

export const viaName = (via: string): string => VIA[via]?.name ?? via
export const viaDid = (via: string): string => VIA[via]?.did ?? via
