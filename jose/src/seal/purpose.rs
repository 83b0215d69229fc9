//! What seals are for.

/// One kind of sealed value. A value of one purpose does not open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An authorization request on its way through login and consent.
    Flow,
    /// The cookie that binds a flow to one browser.
    FlowCookie,
    /// The session cookie.
    Session,
    /// An authorization code.
    Code,
    /// The handle of a finished login.
    LoginStep,
    /// A refresh token.
    RefreshToken,
    /// A logout that waits for its confirmation.
    LogoutRequest,
    /// A request that was posted, or pushed, and comes back as a reference.
    StoredRequest,
}

impl Purpose {
    /// How many there are.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// In the order of their declaration, so that one is its own index.
    pub(super) const ALL: [Self; 8] = [
        Self::Flow,
        Self::FlowCookie,
        Self::Session,
        Self::Code,
        Self::LoginStep,
        Self::RefreshToken,
        Self::LogoutRequest,
        Self::StoredRequest,
    ];

    /// Its name. Subkeys are made of it: another name opens nothing that is out there.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::FlowCookie => "flow-cookie",
            Self::Session => "session",
            Self::Code => "code",
            Self::LoginStep => "login-step",
            Self::RefreshToken => "refresh-token",
            Self::LogoutRequest => "logout-request",
            Self::StoredRequest => "stored-request",
        }
    }
}
