// SPDX-License-Identifier: Apache-2.0
// The real client with links and codes: AUTH_URL is the server, MAIL_URL gives the newest letter to an address as {link, code},
// PHONE_URL the newest code to a number.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthClient } from '@supabase/auth-js'

const url = process.env.AUTH_URL
const password = 'correct horse 7 Battery'
const address = (name) => `${name}.${Date.now()}.${Math.floor(Math.random() * 1e6)}@example.com`
const number = () => `1555${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`

function memory() {
  const kept = new Map()
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v), removeItem: (k) => void kept.delete(k) }
}
const client = (flowType = 'implicit') =>
  new AuthClient({ url, flowType, storage: memory(), autoRefreshToken: false, persistSession: true, detectSessionInUrl: false })

async function ok(call) {
  const { data, error } = await call
  assert.equal(error, null)
  return data
}

const ask = async (base, who) => (await fetch(`${base}/${encodeURIComponent(who)}`)).json()
const letter = (to) => ask(process.env.MAIL_URL, to)
const texted = (to) => ask(process.env.PHONE_URL, to)

// Follows a link as a browser does; gives where it ends.
async function follow(link) {
  const got = await fetch(link, { redirect: 'manual' })
  assert.equal(got.status, 303)
  return new URL(got.headers.get('location'))
}

async function signedUp(auth, email) {
  const { user, session } = await ok(auth.signUp({ email, password }))
  assert.equal(session, null)
  assert.equal(user.email, email)
  return letter(email)
}

test('signs up, confirms by link, and takes the session from the fragment', async () => {
  const email = address('link')
  const auth = client()
  const { link } = await signedUp(auth, email)
  const early = await auth.signInWithPassword({ email, password })
  assert.equal(early.error.code, 'email_not_confirmed')
  const fragment = new URLSearchParams((await follow(link)).hash.slice(1))
  assert.equal(fragment.get('type'), 'signup')
  const { user } = await ok(auth.setSession({ access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }))
  assert.equal(user.email, email)
  assert.ok(user.email_confirmed_at)
  const again = new URLSearchParams((await follow(link)).hash.slice(1))
  assert.equal(again.get('error_code'), 'otp_expired')
})

test('signs up and confirms by the code', async () => {
  const email = address('code')
  const auth = client()
  const { code } = await signedUp(auth, email)
  const wrong = await auth.verifyOtp({ email, token: code === '000000' ? '000001' : '000000', type: 'signup' })
  assert.equal(wrong.error.code, 'otp_expired')
  const { user, session } = await ok(auth.verifyOtp({ email, token: code, type: 'signup' }))
  assert.equal(user.email, email)
  assert.ok(session.access_token)
})

test('a confirmation can be sent again', async () => {
  const email = address('again')
  const auth = client()
  await signedUp(auth, email)
  await ok(auth.resend({ type: 'signup', email }))
  const { hash } = await letter(email)
  const { session } = await ok(auth.verifyOtp({ token_hash: hash, type: 'email' }))
  assert.ok(session)
})

test('signs in without a password: new, and known', async () => {
  const email = address('otp')
  const auth = client()
  for (let i = 0; i < 2; i++) {
    await ok(auth.signInWithOtp({ email, options: { data: { name: 'Ada' } } }))
    const { code } = await letter(email)
    const { user } = await ok(auth.verifyOtp({ email, token: code, type: 'email' }))
    assert.equal(user.user_metadata.name, 'Ada')
  }
  const nobody = await auth.signInWithOtp({ email: address('nobody'), options: { shouldCreateUser: false } })
  assert.equal(nobody.error.code, 'otp_disabled')
})

test('signs in by PKCE', async () => {
  const email = address('pkce')
  const auth = client('pkce')
  const { link } = await signedUp(auth, email)
  const to = await follow(link)
  const { user, session } = await ok(auth.exchangeCodeForSession(to.searchParams.get('code')))
  assert.equal(user.email, email)
  assert.ok(session.refresh_token)

  await ok(auth.signOut().then(({ error }) => ({ data: null, error })))
  await ok(auth.signInWithOtp({ email }))
  const code = (await follow((await letter(email)).link)).searchParams.get('code')
  // A code is no use to somebody who did not begin.
  const thief = client('pkce')
  const stolen = await thief.exchangeCodeForSession(code).catch((error) => ({ error }))
  assert.ok(stolen.error)
  assert.equal((await ok(auth.exchangeCodeForSession(code))).user.email, email)
  const late = await auth.exchangeCodeForSession(code).catch((error) => ({ error }))
  assert.ok(late.error)
})

for (const flow of ['implicit', 'pkce']) {
  test(`recovers a password (${flow})`, async () => {
    const email = address('recover')
    const auth = client(flow)
    const { code } = await signedUp(auth, email)
    await ok(auth.verifyOtp({ email, token: code, type: 'signup' }))
    await ok(auth.resetPasswordForEmail(email, { redirectTo: 'http://app.test/reset' }))
    const to = await follow((await letter(email)).link)
    assert.equal(to.pathname, '/reset')
    if (flow === 'pkce') {
      await ok(auth.exchangeCodeForSession(to.searchParams.get('code')))
    } else {
      const fragment = new URLSearchParams(to.hash.slice(1))
      assert.equal(fragment.get('type'), 'recovery')
      await ok(auth.setSession({ access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }))
    }
    await ok(auth.updateUser({ password: 'another Horse 8 entirely' }))
    await ok(client().signInWithPassword({ email, password: 'another Horse 8 entirely' }))
  })
}

test('changes the address, proven at both', async () => {
  const email = address('old')
  const fresh = address('new')
  const auth = client()
  const { code } = await signedUp(auth, email)
  await ok(auth.verifyOtp({ email, token: code, type: 'signup' }))
  const { user } = await ok(auth.updateUser({ email: fresh }))
  assert.equal(user.new_email, fresh)
  const half = await ok(auth.verifyOtp({ email, token: (await letter(email)).code, type: 'email_change' }))
  assert.equal(half.session, null)
  const whole = await ok(auth.verifyOtp({ email: fresh, token: (await letter(fresh)).code, type: 'email_change' }))
  assert.equal(whole.user.email, fresh)
})

test('signs in by phone, and changes the number', async () => {
  const phone = number()
  const other = number()
  const auth = client()
  await ok(auth.signInWithOtp({ phone }))
  const { user } = await ok(auth.verifyOtp({ phone, token: (await texted(phone)).code, type: 'sms' }))
  assert.equal(user.phone, phone)
  await ok(auth.updateUser({ phone: other }))
  const changed = await ok(auth.verifyOtp({ phone: other, token: (await texted(other)).code, type: 'phone_change' }))
  assert.equal(changed.user.phone, other)
})

test('reauthenticates', async () => {
  const email = address('nonce')
  const auth = client()
  const { code } = await signedUp(auth, email)
  await ok(auth.verifyOtp({ email, token: code, type: 'signup' }))
  const { error } = await auth.reauthenticate()
  assert.equal(error, null)
  await ok(auth.updateUser({ password: 'another Horse 8 entirely', nonce: (await letter(email)).code }))
})

test('the operator invites and makes links', async () => {
  const admin = new AuthClient({ url, headers: { Authorization: `Bearer ${process.env.SERVICE_TOKEN}` }, autoRefreshToken: false, persistSession: false }).admin
  const email = address('invited')
  const { user } = await ok(admin.inviteUserByEmail(email, { data: { team: 'blue' } }))
  assert.equal(user.user_metadata.team, 'blue')
  const auth = client()
  await ok(auth.verifyOtp({ token_hash: (await letter(email)).hash, type: 'invite' }))

  const { properties } = await ok(admin.generateLink({ type: 'magiclink', email }))
  assert.equal(properties.verification_type, 'magiclink')
  const fragment = new URLSearchParams((await follow(properties.action_link)).hash.slice(1))
  assert.ok(fragment.get('access_token'))
})
