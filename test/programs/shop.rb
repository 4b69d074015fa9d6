# Passes Ruby's markers as often as it is told to: each line is a number of rounds, with "traced " before it under a TracePoint.
class Shop
  def sell(count) = count * 2

  def refuse = raise(ArgumentError, "no")
end

def work(rounds)
  rounds.times do |round|
    shop = Shop.new
    shop.sell(round)
    begin
      shop.refuse
    rescue ArgumentError
      [shop, round].first
    end
    [3, 1, 2].sort
  end
end

puts "ready"
$stdout.flush
while (line = gets)
  rounds = line[/\d+/].to_i
  log = []
  if line.start_with?("traced")
    events = { call: "entry", return: "return" }
    TracePoint.new(:call, :return) { |t| log << "#{events[t.event]} #{t.defined_class} #{t.method_id} #{t.lineno}" }.enable { work(rounds) }
  else
    work(rounds)
  end
  puts log.join("|")
  $stdout.flush
end
