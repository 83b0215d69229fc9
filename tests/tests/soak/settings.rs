//! How large a soak is: `CLAVIGER_SOAK="promotions=10000 tenants=20 rings=5"`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// What may be set; times in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// It ends after so many.
    pub(crate) promotions: usize,
    /// It has failed if it has not ended by then.
    pub(crate) limit: Duration,
    /// How many tenants.
    pub(crate) tenants: usize,
    /// How many rings each.
    pub(crate) rings: usize,
    /// How many tokens a second.
    pub(crate) rate: usize,
    /// How long the operators and the API server are left alone between two blows.
    pub(crate) calm: Duration,
    /// Nothing is struck: what rotation costs by itself.
    pub(crate) undisturbed: bool,
    /// How many caches each verifier has of each issuer.
    pub(crate) copies: usize,
    /// Of what happens by chance.
    pub(crate) seed: u64,
    /// `spec.rotation` of every ring.
    pub(crate) rotation: [u64; 3],
    /// Lifetime of a token.
    pub(crate) token: u64,
}

impl Settings {
    /// The short form: a minute and a half on a machine with nothing else to do.
    pub(crate) const SHORT: Self = Self {
        promotions: 36,
        limit: Duration::from_secs(420),
        tenants: 6,
        rings: 3,
        rate: 24,
        calm: Duration::from_secs(8),
        undisturbed: false,
        copies: 2,
        seed: 1,
        // The least that the schema takes for a cache of a second.
        rotation: [13, 12, 1],
        token: 6,
    };

    /// The short form, with what the environment says.
    pub(crate) fn from_environment() -> Result<Self> {
        let mut settings = Self::SHORT;
        let text = claviger_tests::repository::setting("CLAVIGER_SOAK").unwrap_or_default();
        for word in text.to_string_lossy().split_whitespace() {
            let (name, value) = word.split_once('=').with_context(|| format!("CLAVIGER_SOAK: {word}: no ="))?;
            let number: u64 = value.parse().with_context(|| format!("CLAVIGER_SOAK: {word}"))?;
            let size = usize::try_from(number)?;
            match name {
                "promotions" => settings.promotions = size,
                "limit" => settings.limit = Duration::from_secs(number),
                "tenants" => settings.tenants = size,
                "rings" => settings.rings = size,
                "rate" => settings.rate = size,
                "calm" => settings.calm = Duration::from_secs(number),
                "undisturbed" => settings.undisturbed = number > 0,
                "copies" => settings.copies = size,
                "seed" => settings.seed = number,
                "interval" => settings.rotation[0] = number,
                "token" => settings.token = number,
                _ => bail!("CLAVIGER_SOAK: {name} is not known"),
            }
        }
        Ok(settings)
    }
}

/// Chance that can be repeated: xorshift.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }
}
