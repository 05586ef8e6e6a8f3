// Everything that is heard: the call, the ring tone, keys, and what the microphone hears.

const RATE = 16000;
const KEYS = { 1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477], 7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477] };

export class Sound {
  /**
   * @param onFrame is given each frame of the microphone, 320 samples of 16 bits, and its level from 0 to 1.
   * @param onState is told "on", "off", "denied", "missing" or "insecure".
   */
  constructor(onFrame, onState) {
    this.onFrame = onFrame;
    this.onState = onState;
    this.muted = false;
    this.state = "off";
    this.speaker = null;
    this.context = null;
    this.stream = null;
    this.ringing = null;
  }

  /** Whether the browser lets this tab sound: after the first click or key on the page. */
  get unlocked() {
    return this.context?.state === "running";
  }

  /** To be called at a click or a key: browsers allow sound only then. */
  async unlock() {
    if (!this.context) {
      this.context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
      this.ready = this.context.audioWorklet.addModule("/phone/speaker-worklet.js").then(() => {
        this.speaker = new AudioWorkletNode(this.context, "speaker", { numberOfInputs: 0, outputChannelCount: [1] });
        this.speaker.connect(this.context.destination);
      });
    }
    if (this.context.state !== "running") await this.context.resume();
    await this.ready;
  }

  /** Play a frame of the call. */
  play(buffer) {
    const samples = new Int16Array(buffer);
    this.speaker?.port.postMessage(samples, [samples.buffer]);
  }

  /** Nothing of the call is left to be heard. */
  silence() {
    this.speaker?.port.postMessage(null);
  }

  /** The tones of a key, for who pressed it. */
  key(digit) {
    const tones = KEYS[digit];
    if (this.unlocked && tones) this.tone(tones, 0.1, 0.12);
  }

  tone(frequencies, seconds, level, at = this.context.currentTime) {
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(level, at + 0.005);
    gain.gain.setValueAtTime(level, at + seconds - 0.01);
    gain.gain.linearRampToValueAtTime(0, at + seconds);
    gain.connect(this.context.destination);
    for (const frequency of frequencies) {
      const oscillator = this.context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(at);
      oscillator.stop(at + seconds);
    }
    return gain;
  }

  /** "in" rings, "out" is what a caller hears meanwhile, null is neither. */
  ring(kind) {
    if (kind === this.ringing) return;
    this.ringing = kind;
    clearInterval(this.cadence);
    this.sounding?.disconnect();
    if (!kind) return;
    const once = () => {
      if (!this.unlocked || this.ringing !== kind) return;
      this.sounding = kind === "in" ? this.trill() : this.tone([440, 480], 1.6, 0.05);
    };
    once();
    this.cadence = setInterval(once, kind === "in" ? 2500 : 5000);
  }

  trill() {
    const gain = this.context.createGain();
    gain.connect(this.context.destination);
    for (let beat = 0; beat < 12; beat++) {
      const tone = this.tone([beat % 2 ? 660 : 880], 0.075, 0.14, this.context.currentTime + beat * 0.08);
      tone.disconnect();
      tone.connect(gain);
    }
    return gain;
  }

  /** Ask for the microphone, and hear it until `stopListening`. */
  async listen() {
    if (this.stream) return this.set("on");
    if (!navigator.mediaDevices) return this.set("insecure");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      });
    } catch (error) {
      return this.set(error.name === "NotAllowedError" ? "denied" : "missing");
    }
    // The microphone runs at its own rate: joining it to a context of another one fails in Firefox.
    this.capture = new AudioContext({ latencyHint: "interactive" });
    await this.capture.audioWorklet.addModule("/phone/microphone-worklet.js");
    const node = new AudioWorkletNode(this.capture, "microphone", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => {
      if (!this.muted) this.onFrame(data, loudness(data));
    };
    this.capture.createMediaStreamSource(this.stream).connect(node);
    return this.set("on");
  }

  stopListening() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.capture?.close();
    this.stream = this.capture = null;
    if (this.state === "on") this.set("off");
  }

  set(state) {
    this.state = state;
    this.onState(state);
  }
}

function loudness(samples) {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return Math.min(1, Math.sqrt(most / 32768));
}
