// Plays frames of 16-bit PCM at the context's own rate, 16,000 Hz, out of a ring of 2 s.
const RING = 32000;
const START = 1280; // 80 ms: what is late by less makes no gap
const MOST = 6400; // 400 ms: what is further behind is dropped

class Speaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Float32Array(RING);
    this.read = 0;
    this.waiting = 0; // samples in the ring
    this.playing = false;
    this.port.onmessage = ({ data }) => (data === null ? this.clear() : this.add(data));
  }

  clear() {
    this.waiting = 0;
    this.playing = false;
  }

  add(samples) {
    for (const sample of samples) {
      this.ring[(this.read + this.waiting) % RING] = sample / 32768;
      this.waiting++;
    }
    if (this.waiting > MOST) {
      this.read = (this.read + this.waiting - START) % RING;
      this.waiting = START;
    }
    this.quiet = 0;
  }

  process(inputs, outputs) {
    const block = outputs[0][0];
    // The end of what is said is shorter than what is waited for: it is played when nothing follows.
    this.quiet = (this.quiet || 0) + block.length;
    if (!this.playing && this.waiting && (this.waiting >= START || this.quiet > START)) this.playing = true;
    if (!this.playing) return true;
    for (let index = 0; index < block.length; index++) {
      if (!this.waiting) {
        this.playing = false;
        break;
      }
      block[index] = this.ring[this.read];
      this.read = (this.read + 1) % RING;
      this.waiting--;
    }
    return true;
  }
}

registerProcessor("speaker", Speaker);
