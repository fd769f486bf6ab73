#include <signal.h>
#include <unistd.h>

#include "cli/command.h"

int main(int argc, char **argv)
{
    // A peer or a pager that goes away is an error where it is written to, not the end of the
    // process.
    signal(SIGPIPE, SIG_IGN);
    return cli_run(argc, argv, environ, stdout, stderr);
}
