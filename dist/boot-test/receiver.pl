# A receiver on port 9009: it answers 200, and prints the webhook's id and body.
use strict;
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9009", Listen => 512, ReuseAddr => 1) or die $!;
$| = 1;
while (my $c = $listener->accept) {
    my ($id, $length) = ("", 0);
    while (my $line = <$c>) {
        last if $line eq "\r\n";
        $id = $1 if $line =~ /^webhook-id: (\S+)/i;
        $length = $1 if $line =~ /^content-length: (\d+)/i;
    }
    read $c, my $body, $length;
    print "$id $body\n";
    print $c "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}
