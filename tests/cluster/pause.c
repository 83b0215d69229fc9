/* What a pod's sandbox container runs: it holds the pod's namespaces, reaps orphans, and ends when
 * it is told to. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

int main(void) {
    sigset_t awaited;
    int signal_number;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, 0);
    while (sigwait(&awaited, &signal_number) == 0) {
        if (signal_number != SIGCHLD) return 0;
        while (waitpid(-1, 0, WNOHANG) > 0) {
        }
    }
    return 1;
}
