//! Apache with `mod_auth_openidc` as a reverse proxy before an application: Debian's packages, in a
//! temporary folder, as an unprivileged user.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::response::Html;
use http::{HeaderMap, Uri};

use crate::process::{Launch, Process};
use crate::temp::TempDir;

/// `nobody` of Debian.
const NOBODY: u32 = 65534;
/// Generous: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

/// What Apache is told of its provider.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// The CA of the provider's certificate.
    pub ca: &'a Path,
    /// The client's ID.
    pub client_id: &'a str,
    /// The client's secret.
    pub client_secret: &'a str,
}

/// A running Apache. Dropping it kills it and removes its folder.
///
/// `/` is the application for people who are logged in; `/api` takes bearer tokens, which Apache
/// introspects; `/goodbye` is for everybody. The application answers with what Apache tells it: one
/// line for each header whose name begins with `oidc`, in lower case, and one with the path.
#[derive(Debug)]
pub struct Apache {
    // Before the folder, so that the process has ended when the folder goes.
    process: Process,
    folder: TempDir,
}

impl Apache {
    /// Starts it on `port`, and the application behind it in the runtime of the caller.
    ///
    /// # Errors
    /// When Apache or its module is not installed, or it does not answer in time: its log is told.
    pub async fn start(port: u16, registration: &Registration<'_>) -> Result<Self> {
        let folder = TempDir::new("apache")?;
        let ca = folder.write("ca.pem", std::fs::read(registration.ca)?)?;
        let application = application().await?;
        let file = folder.write("apache.conf", configuration(folder.path(), port, application, registration))?;
        let is_root = std::fs::metadata("/proc/self")?.uid() == 0;
        if is_root {
            for path in [folder.path(), &ca, &file] {
                chown(path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        // One process, which the harness can end, and no child that would outlive it.
        let (program, nobody) = ("/usr/sbin/apache2", NOBODY.to_string());
        let launch = if is_root {
            let arguments = ["--reuid", &nobody, "--regid", &nobody, "--clear-groups", "--pdeathsig", "KILL", program];
            Launch::new("apache", "setpriv").args(arguments)
        } else {
            Launch::new("apache", program)
        };
        let process = launch.args(["-X", "-f"]).arg(&file).start()?;
        let apache = Self { process, folder };
        let page = format!("http://127.0.0.1:{port}/goodbye");
        apache.process.wait_for_http(LIMIT, &page).await.with_context(|| apache.log())?;
        Ok(apache)
    }

    /// What it wrote to its error log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

/// An application that knows nothing of OpenID Connect; returns its port.
async fn application() -> Result<u16> {
    let answer = async |uri: Uri, headers: HeaderMap| {
        let told = headers.iter().filter(|(name, _)| name.as_str().starts_with("oidc"));
        let lines = told.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        Html(format!("path: {}\n{}", uri.path(), lines.collect::<String>()))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    Ok(port)
}

fn configuration(folder: &Path, port: u16, application: u16, registration: &Registration<'_>) -> String {
    let Registration { issuer, client_id, client_secret, .. } = registration;
    let folder = folder.display();
    let modules = [
        ("mpm_event_module", "mpm_event"),
        ("authn_core_module", "authn_core"),
        ("authz_core_module", "authz_core"),
        ("authz_user_module", "authz_user"),
        ("proxy_module", "proxy"),
        ("proxy_http_module", "proxy_http"),
        ("auth_openidc_module", "auth_openidc"),
    ];
    let load = |(name, file)| format!("LoadModule {name} /usr/lib/apache2/modules/mod_{file}.so\n");
    let modules: String = modules.into_iter().map(load).collect();
    format!(
        r#"{modules}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
DefaultRuntimeDir "{folder}"
PidFile "{folder}/pid"
ErrorLog "{folder}/error.log"
LogLevel warn auth_openidc:info

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCCABundlePath "{folder}/ca.pem"
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI http://127.0.0.1:{port}/callback
OIDCCryptoPassphrase "exec:/usr/bin/openssl rand -hex 24"
OIDCScope "openid profile email"
OIDCDefaultLoggedOutURL http://127.0.0.1:{port}/goodbye

OIDCOAuthIntrospectionEndpoint {issuer}/oauth/introspect
OIDCOAuthClientID {client_id}
OIDCOAuthClientSecret {client_secret}

ProxyPass / http://127.0.0.1:{application}/

<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /api>
  AuthType oauth20
  Require valid-user
</Location>
<Location /goodbye>
  AuthType None
  Require all granted
</Location>
"#
    )
}
