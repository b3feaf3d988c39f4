// A zone to choose or drop files. They are sent in chunks to the address in `data`, so that no file of any size is held in
// memory here or there; after a lost connection the server is asked how far it is, and sending goes on from that place.

const zones = new WeakMap()
const PATIENCE_MS = 5 * 60 * 1000
const LONGEST_WAIT_MS = 8000

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let zone = zones.get(parentElement)
  if (!zone) {
    zone = new Zone(parentElement)
    zones.set(parentElement, zone)
  }
  zone.update(data, setTriggerValue)
  return () => {
    zone.leave()
    zones.delete(parentElement)
  }
}

class Refused extends Error {
  constructor(why) {
    super(why)
    this.why = why
  }
}

class Zone {
  constructor(root) {
    const find = (selector) => root.querySelector(selector)
    this.box = find(".zone")
    this.input = find("input")
    this.choose = find(".choose")
    this.hint = find(".hint")
    this.rest = find(".rest")
    this.going = find(".going")
    this.name = find(".name")
    this.state = find(".state")
    this.bar = find("progress")
    this.cancel = find(".cancel")
    this.problem = find(".problem")
    this.said = find(".said")
    this.sending = null
    this.done = false
    this.choose.onclick = () => this.input.click()
    this.input.onchange = () => this.take(this.input.files)
    this.cancel.onclick = () => this.giveUp()
    this.box.ondragover = (event) => {
      event.preventDefault()
      this.box.classList.add("over")
    }
    this.box.ondragleave = () => this.box.classList.remove("over")
    this.box.ondrop = (event) => {
      event.preventDefault()
      this.box.classList.remove("over")
      this.take(event.dataTransfer.files)
    }
  }

  update(data, tell) {
    if (this.data && this.data.ticket !== data.ticket) this.done = false
    this.data = data
    this.tell = tell
    const words = data.words
    this.choose.textContent = words.choose
    this.hint.textContent = words.hint
    this.cancel.textContent = words.cancel
    this.input.accept = data.accept
    this.input.multiple = data.most > 1
    this.input.setAttribute("aria-label", words.choose)
    this.bar.setAttribute("aria-label", words.progress)
  }

  take(list) {
    const files = [...list]
    this.input.value = ""
    if (!files.length || this.sending || this.done) return
    this.complain("")
    const total = files.reduce((sum, file) => sum + file.size, 0)
    if (files.length > this.data.most) return this.complain(this.data.words.too_many)
    if (total > this.data.max_bytes) return this.complain(this.data.words.too_large)
    this.send(files, total)
  }

  async send(files, total) {
    const ticket = this.data.ticket
    const sending = { ticket, stop: new AbortController(), total, began: performance.now(), already: null }
    this.sending = sending
    this.name.textContent = files.map((file) => file.name).join(", ")
    this.said.textContent = this.data.words.progress
    this.show(true)
    this.tellPlace(sending, 0)
    try {
      const announced = JSON.stringify({ files: files.map((file) => ({ name: file.name, size: file.size })) })
      const opened = await this.patiently(sending, () => this.ask(sending, "POST", "", announced))
      sending.already = opened.offsets.reduce((sum, one) => sum + one, 0)
      let before = 0
      for (const [number, file] of files.entries()) {
        await this.sendFile(sending, file, number, opened.offsets[number], opened.chunk, before)
        before += file.size
      }
      this.done = true
      this.state.textContent = this.said.textContent = this.data.words.arrived
      this.cancel.hidden = true
      this.tell("finished", ticket)
    } catch (error) {
      if (sending.stop.signal.aborted) return
      this.show(false)
      this.said.textContent = ""
      const words = this.data.words
      this.complain(words[error.why] || (error.name === "NotReadableError" ? words.unreadable : words.failed))
      this.remove(ticket)
      this.tell("given_up", ticket)
    } finally {
      if (this.sending === sending) this.sending = null
    }
  }

  async sendFile(sending, file, number, start, size, before) {
    let offset = start
    while (offset < file.size) {
      const piece = file.slice(offset, offset + size)
      const headers = {}
      const content = await piece.arrayBuffer() // fails where the file was changed or is gone, in words that can be told
      if (globalThis.crypto?.subtle) headers["X-Chunk-Sha256"] = hex(await crypto.subtle.digest("SHA-256", content))
      const place = offset
      const answer = await this.patiently(
        sending,
        () => this.ask(sending, "PUT", `/${number}?offset=${place}`, piece, headers),
        async () => ({ offset: (await this.ask(sending, "GET", "")).offsets[number] })
      )
      offset = answer.offset
      this.tellPlace(sending, before + offset)
    }
  }

  // Once more and again when the connection fails, until it works, the server says no, or five minutes are over.
  async patiently(sending, ask, recover = ask) {
    const deadline = performance.now() + PATIENCE_MS
    let wait = 500
    for (let go = ask; ; go = recover) {
      try {
        return await go()
      } catch (error) {
        if (sending.stop.signal.aborted || performance.now() > deadline) throw error
        if (error instanceof Refused && !["busy", "wrong_place", "damaged", "away"].includes(error.why)) throw error
        this.state.textContent = this.said.textContent = this.data.words.lost
        await new Promise((wake) => setTimeout(wake, wait))
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
    }
  }

  async ask(sending, method, below, body, headers = {}) {
    const answer = await fetch(`${this.data.path}/${sending.ticket}${below}`, {
      method,
      body,
      headers: { ...headers, "X-Xsrftoken": xsrf() },
      signal: sending.stop.signal,
      credentials: "same-origin",
      cache: "no-store",
    })
    if (answer.ok) return answer.json()
    const said = await answer.json().catch(() => ({}))
    throw new Refused(said.why || (answer.status >= 500 ? "away" : "failed"))
  }

  tellPlace(sending, place) {
    const { words, lang } = this.data
    const number = (value, digits = 0) => new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(value)
    const seconds = (performance.now() - sending.began) / 1000
    const rate = sending.already === null ? 0 : (place - sending.already) / seconds
    this.bar.value = sending.total ? place / sending.total : 1
    const parts = [`${number(place / 1e6)} / ${number(sending.total / 1e6, sending.total < 1e7 ? 1 : 0)} MB`]
    if (rate > 0 && seconds > 1) {
      parts.push(`${number(rate / 1e6, rate < 1e7 ? 1 : 0)} MB/s`)
      parts.push(words.left.replace("{time}", `${number((sending.total - place) / rate)} s`))
    }
    this.state.textContent = parts.join(" · ")
  }

  giveUp() {
    const sending = this.sending
    if (!sending) return
    this.sending = null
    sending.stop.abort()
    this.remove(sending.ticket)
    this.show(false)
    this.said.textContent = this.data.words.cancelled
    this.tell("given_up", sending.ticket)
  }

  leave() {
    if (!this.sending) return
    this.sending.stop.abort()
    this.remove(this.sending.ticket)
  }

  remove(ticket) {
    fetch(`${this.data.path}/${ticket}`, {
      method: "DELETE",
      headers: { "X-Xsrftoken": xsrf() },
      credentials: "same-origin",
      keepalive: true,
    }).catch(() => {})
  }

  show(isGoing) {
    this.rest.hidden = isGoing
    this.going.hidden = !isGoing
    this.cancel.hidden = false
  }

  complain(words) {
    this.problem.textContent = words
    this.problem.hidden = !words
  }
}

function xsrf() {
  const found = document.cookie.split("; ").find((one) => one.startsWith("_streamlit_xsrf="))
  return found ? found.slice("_streamlit_xsrf=".length) : ""
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
