// From the microphone at the context's rate to frames of 20 ms at 16,000 Hz: a windowed sinc keeps what is below 7.2 kHz.
const RATE = 16000;
const FRAME = 320;
const REACH = 24; // input samples on each side of an output sample
const CUTOFF = 7200;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.history = new Float32Array(2 * REACH);
    this.position = REACH; // of the next output sample, in input samples from the start of the history
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }

  process(inputs) {
    const block = inputs[0][0];
    if (!block) return true;
    const samples = new Float32Array(this.history.length + block.length);
    samples.set(this.history);
    samples.set(block, this.history.length);
    while (this.position + REACH < samples.length) {
      this.put(this.sampleAt(samples, this.position));
      this.position += this.step;
    }
    const used = Math.max(0, Math.floor(this.position) - REACH);
    this.history = samples.slice(used);
    this.position -= used;
    return true;
  }

  sampleAt(samples, position) {
    const cutoff = Math.min(1, (2 * CUTOFF) / sampleRate);
    const first = Math.ceil(position - REACH);
    let sum = 0;
    let weights = 0;
    for (let index = Math.max(0, first); index <= position + REACH && index < samples.length; index++) {
      const distance = index - position;
      const phase = Math.PI * cutoff * distance;
      const sinc = phase === 0 ? 1 : Math.sin(phase) / phase;
      const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / REACH));
      sum += weight * samples[index];
      weights += weight;
    }
    return weights ? sum / weights : 0;
  }

  put(sample) {
    this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
    if (this.filled === FRAME) {
      this.port.postMessage(this.frame, [this.frame.buffer]);
      this.frame = new Int16Array(FRAME);
      this.filled = 0;
    }
  }
}

registerProcessor("microphone", Microphone);
